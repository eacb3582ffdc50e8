import type { Bytes } from "../resp/bytes.ts";
import type { Protocol, Reply } from "../resp/encode.ts";

/** Where a connection comes from. */
export interface Peer {
  /** Failed passwords are counted for this: an address, or `unix`. */
  readonly address: string;
  /** `address:port`, or the path of the socket, as CLIENT LIST shows it. */
  readonly remote: string;
  readonly local: string;
  /** Over the unix socket, which only root can open: no password is asked. */
  readonly isLocal: boolean;
}

/** The state of one connection as commands see and change it. */
export class Session {
  readonly id: number;
  readonly peer: Peer;
  /** Milliseconds of the monotonic clock. */
  readonly connectedMs: number;
  protocol: Protocol = 2;
  /** True when every command is allowed. */
  isMember: boolean;
  name: Bytes = "";
  libraryName: Bytes = "";
  libraryVersion: Bytes = "";
  lastCommand = "";
  lastActiveMs: number;
  isBlocked = false;
  /** Set by a command after which the connection ends. */
  isClosing = false;

  constructor(id: number, peer: Peer, nowMs: number) {
    this.id = id;
    this.peer = peer;
    this.connectedMs = nowMs;
    this.lastActiveMs = nowMs;
    this.isMember = peer.isLocal;
  }
}

/**
 * An answer that comes later. Called once to start; it calls `resume` once, never before it returned,
 * and returns what stops it when the connection is gone.
 */
export type Suspension = (resume: (reply: Reply) => void) => () => void;
