import { AgentError } from "../../base/errors.ts";
import { type Acknowledgement, parseAcknowledgement, parseDone } from "./acknowledgement.ts";
import {
  buildMessage,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_OVERRUN,
  parseMessages,
} from "./message.ts";

/** A socket to the kernel; every call ends within its time limit. */
export interface NetlinkSocket {
  /** @throws AgentError `E_NETLINK` with field `errno`. */
  send(message: Buffer): void;
  /**
   * One datagram, valid until the next call; undefined when it was longer than the buffer, which is
   * larger from then on.
   *
   * @throws AgentError `E_NETLINK` with field `errno`, `ETIMEDOUT` when nothing came.
   */
  receive(): Buffer | undefined;
  close(): void;
}

/**
 * Requests and their answers, one after the other. The kernel answers within the call that sends the
 * request, so waiting here does not hold up the event loop longer than the kernel works.
 */
export class NetlinkSession {
  readonly #open: () => NetlinkSocket;
  #socket: NetlinkSocket | undefined;
  #sequence = 0;

  constructor(open: () => NetlinkSocket) {
    this.#open = open;
  }

  /**
   * All objects of one kind. Bodies are copies.
   *
   * @throws AgentError `E_NETLINK`; field `errno` is `EINTR` when the kernel's table changed during
   *   each of {@link MAX_TRIES} dumps.
   */
  dump(type: number, body: Buffer): NetlinkMessage[] {
    for (let tried = 0; tried < MAX_TRIES; tried += 1) {
      const messages = this.#guarded(() => this.#dumpOnce(type, body));
      if (messages !== undefined) return messages;
      // What is left of the dump that is given up must not be taken for the next one.
      this.close();
    }
    throw failure("Cannot read the network", `changed during each of ${MAX_TRIES} reads`, "EINTR");
  }

  /**
   * One request and its acknowledgement.
   *
   * @param flags Beside NLM_F_REQUEST and NLM_F_ACK.
   * @returns What the kernel said, and the messages that came with it.
   */
  request(type: number, flags: number, body: Buffer): Answer {
    return this.#guarded(() => {
      const sequence = this.#send(type, flags | NLM_F_ACK, body);
      const messages: NetlinkMessage[] = [];
      for (let received = 0; received < MAX_DATAGRAMS; received += 1) {
        for (const message of this.#receive(sequence) ?? []) {
          if (message.type === NLMSG_ERROR) return { ...parseAcknowledgement(message), messages };
          messages.push({ ...message, body: Buffer.from(message.body) });
        }
      }
      throw failure("Cannot end a netlink request", "no acknowledgement", "EBADMSG");
    });
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** After a failure nobody knows what is still on the way, so the next request gets a new socket. */
  #guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Undefined when the answer is not whole: the table changed, or a datagram did not fit. */
  #dumpOnce(type: number, body: Buffer): NetlinkMessage[] | undefined {
    const sequence = this.#send(type, NLM_F_DUMP, body);
    const messages: NetlinkMessage[] = [];
    for (let received = 0; received < MAX_DATAGRAMS; received += 1) {
      const datagram = this.#receive(sequence);
      if (datagram === undefined) return undefined;
      for (const message of datagram) {
        if ((message.flags & NLM_F_DUMP_INTR) !== 0 || message.type === NLMSG_OVERRUN) {
          return undefined;
        }
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
          const done = message.type === NLMSG_DONE;
          const { errno, text } = done ? parseDone(message) : parseAcknowledgement(message);
          if (errno === "EINTR") return undefined;
          if (errno !== undefined) throw failure("Cannot read the network", text, errno);
          return messages;
        }
        messages.push({ ...message, body: Buffer.from(message.body) });
      }
    }
    throw failure("Cannot end a netlink dump", `${MAX_DATAGRAMS} datagrams`, "EBADMSG");
  }

  #send(type: number, flags: number, body: Buffer): number {
    this.#socket ??= this.#open();
    this.#sequence = (this.#sequence % MAX_SEQUENCE) + 1;
    const sequence = this.#sequence;
    this.#socket.send(buildMessage({ type, flags: flags | NLM_F_REQUEST, sequence, body }));
    return sequence;
  }

  /** The messages of the next datagram that answer the request. */
  #receive(sequence: number): NetlinkMessage[] | undefined {
    const datagram = this.#socket?.receive();
    if (datagram === undefined) return undefined;
    return parseMessages(datagram).filter((message) => message.sequence === sequence);
  }
}

export interface Answer extends Acknowledgement {
  readonly messages: readonly NetlinkMessage[];
}

export const MAX_TRIES = 8;
/** About 2 GiB of answers: a dump that does not end is a mistake. */
const MAX_DATAGRAMS = 65_536;
const MAX_SEQUENCE = 0x7fff_ffff;

function failure(what: string, seen: string, errno: string): AgentError {
  const text = seen === "" ? errno : `${errno}, ${seen}`;
  return new AgentError("E_NETLINK", `${what}: ${text}`, { fields: { errno } });
}
