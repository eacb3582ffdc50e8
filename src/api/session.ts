import type { Bytes } from "../resp/bytes.ts";
import type { Protocol, Reply } from "../resp/encode.ts";
import { NODE_USER, type SessionUser } from "./users.ts";

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
  /** Null before authentication. */
  user: SessionUser | null;
  name: Bytes = "";
  libraryName: Bytes = "";
  libraryVersion: Bytes = "";
  lastCommand = "";
  lastActiveMs: number;
  isBlocked = false;
  /** Set by a command after which the connection ends. */
  isClosing = false;
  /** Over TLS. */
  isSecure = false;
  /** What the client listens to; while there is anything, the idle limit leaves it alone. */
  subscriptions = 0;
  /** Pushes this client was too slow for. */
  droppedPushes = 0;
  /**
   * Makes the push that tells a client how many pushes it missed. It leaves as soon as the client takes
   * replies again, before any other push. Null: it is not told.
   */
  gapNotice: ((missed: number) => Reply) | null = null;
  #send: PushSink = () => false;
  #unsentBytes = (): number => 0;
  /** Most connections have none. */
  #closeListeners: (() => void)[] = [];

  constructor(id: number, peer: Peer, nowMs: number) {
    this.id = id;
    this.peer = peer;
    this.connectedMs = nowMs;
    this.lastActiveMs = nowMs;
    this.user = peer.isLocal ? NODE_USER : null;
  }

  get isMember(): boolean {
    return this.user !== null;
  }

  /**
   * Sends a reply nobody asked for, at any time and also while a command waits. It stands between whole
   * replies. A client that leaves more than `output_pause` bytes unread gets no more of them: they are
   * dropped and counted, and {@link gapNotice} follows. One that takes nothing at all is closed.
   *
   * @param reply Encoded for {@link protocol}; see `push` of the encoder.
   * @returns Whether it was taken.
   */
  push(reply: Reply): boolean {
    return this.#send(reply);
  }

  /**
   * @param listener Called once, when the connection is gone or `RESET` makes it a new one.
   * @returns Takes the listener away.
   */
  onClose(listener: () => void): () => void {
    this.#closeListeners = [...this.#closeListeners, listener];
    return () => {
      this.#closeListeners = this.#closeListeners.filter((other) => other !== listener);
    };
  }

  /** The connection is gone, or begins anew. */
  closed(): void {
    const listeners = this.#closeListeners;
    this.#closeListeners = [];
    for (const listener of listeners) listener();
    this.subscriptions = 0;
    this.gapNotice = null;
  }

  /** Replies made for the client that it has not taken. */
  get unsentBytes(): number {
    return this.#unsentBytes();
  }

  /** @param sink Where pushes go; nowhere before the first call. */
  connect(sink: PushSink, unsentBytes: () => number = () => 0): void {
    this.#send = sink;
    this.#unsentBytes = unsentBytes;
  }
}

type PushSink = (reply: Reply) => boolean;

/**
 * An answer that comes later. Called once to start; it calls `resume` once, never before it returned,
 * and returns what stops it when the connection is gone.
 */
export type Suspension = (resume: (reply: Reply) => void) => () => void;

/** A RESP2 connection with subscriptions: it can tell messages and the answers to few commands apart. */
export const isListening = (session: Session): boolean =>
  session.subscriptions > 0 && session.protocol === 2;
