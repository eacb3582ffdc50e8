import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import { wipe } from "../base/secret-bytes.ts";
import type { Logger } from "../log/logger.ts";
import { failure, type Reply } from "../resp/encode.ts";
import { RequestParser } from "../resp/request-parser.ts";
import { carriesPassword } from "./authenticator.ts";
import type { Counters } from "./counters.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { EndpointLimits } from "./endpoint-limits.ts";
import { OutputGuard } from "./output-guard.ts";
import type { Session, Suspension } from "./session.ts";
import type { TlsEntry } from "./tls-entry.ts";

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly session: Session;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
  readonly limits: EndpointLimits;
  /** Null where nobody may speak TLS. */
  readonly tls?: TlsEntry | null;
  readonly onClose: () => void;
}

/**
 * One client: bytes in, requests to the dispatcher one after the other, replies out. All replies to
 * the requests of one chunk leave in one write. A request that waits holds back those behind it.
 */
export class Connection {
  readonly session: Session;
  readonly #tls: TlsEntry | null;
  readonly #onClose: () => void;
  #socket: Socket;
  readonly #dispatcher: Dispatcher;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #logger: Logger;
  readonly #limits: EndpointLimits;
  readonly #parser: RequestParser;
  #output: OutputGuard;
  /** Replies not yet handed to the socket. */
  #replies: Reply = "";
  /** This connection's share of the guests' bytes. */
  #guestBytes = 0;
  /** Nothing was received yet: its first byte tells whether it is TLS. */
  #isNew = true;
  #isRunning = false;
  #isClosed = false;
  #isFlushPlanned = false;
  /** Pushes the client was too slow for and has not been told of. */
  #missedPushes = 0;
  #stopWaiting: (() => void) | null = null;
  #stopGuestTimer: () => void;

  constructor(options: ConnectionOptions) {
    this.session = options.session;
    this.#socket = options.socket;
    this.#dispatcher = options.dispatcher;
    this.#clock = options.clock;
    this.#counters = options.counters;
    this.#logger = options.logger;
    this.#limits = options.limits;
    this.#parser = new RequestParser(options.limits.guestRequests, carriesPassword);
    this.#tls = options.tls ?? null;
    this.#onClose = options.onClose;
    this.session.connect(
      (reply) => this.#push(reply),
      () => this.#replies.length + this.#socket.writableLength,
    );
    this.#stopGuestTimer = options.clock.after(options.limits.guestTimeoutMs, () => {
      if (this.session.isMember) return;
      this.#counters.guestTimeouts += 1;
      this.#socket.destroy();
    });
    this.#output = this.#attach(options.socket);
  }

  /** Sends what is ready and ends the connection. */
  close(): void {
    this.session.isClosing = true;
    this.#run();
  }

  /** Whether it asked nothing, waited for nothing and listened to nothing since then. */
  isIdleSince(timeMs: number): boolean {
    const { isBlocked, isMember, lastActiveMs, subscriptions } = this.session;
    return isMember && !isBlocked && subscriptions === 0 && lastActiveMs < timeMs;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves when the replies made so far are with the kernel. */
  drained(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      socket.write("", () => resolve());
      socket.once("close", () => resolve());
    });
  }

  /** Listens to a socket. @returns The guard over what is sent through it. */
  #attach(socket: Socket): OutputGuard {
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    // A peer that resets the connection is nothing to report; "close" follows every error.
    socket.on("error", () => {});
    socket.on("close", () => this.#closed());
    return new OutputGuard({
      socket,
      clock: this.#clock,
      counters: this.#counters,
      limits: this.#limits,
      onRoom: () => this.#onRoom(),
    });
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parser.discard();
    this.#stopGuestTimer();
    this.#stopWaiting?.();
    this.#output.stop();
    this.#counters.guestBytes -= this.#guestBytes;
    this.session.closed();
    this.#onClose();
  }

  /** What the first byte decides. @returns Whether the bytes are a request of a plain connection. */
  #welcome(chunk: Buffer): boolean {
    this.#isNew = false;
    if (this.#tls === null) return true;
    if (this.#tls.isTls(chunk)) {
      void this.#secure(this.#tls, chunk);
      return false;
    }
    if (this.#tls.mode === "on") return true;
    chunk.fill(0);
    this.#counters.plainRefused += 1;
    this.#replies += failure("ERR this port speaks TLS only");
    this.close();
    return false;
  }

  /** The time and the bytes of a guest hold for the handshake too. */
  async #secure(tls: TlsEntry, chunk: Buffer): Promise<void> {
    const plain = this.#socket;
    this.#output.stop();
    plain.removeAllListeners("data").removeAllListeners("drain");
    plain.pause();
    plain.unshift(chunk);
    try {
      const secure = await tls.open(plain);
      this.#socket = secure;
      this.session.isSecure = true;
      this.#output = this.#attach(secure);
      if (this.#isClosed || this.session.isClosing) secure.destroy();
    } catch (error) {
      this.#logger.error("TLS cannot be offered", { error: errorText(error) });
      plain.destroy();
    }
  }

  #receive(chunk: Buffer): void {
    if (this.#isNew && !this.#welcome(chunk)) return;
    this.#counters.inputBytes += chunk.length;
    if (this.session.isClosing) {
      chunk.fill(0);
      return;
    }
    try {
      this.#parser.feed(chunk);
    } catch (error) {
      this.#refuse(error);
    }
    this.#run();
  }

  #run(): void {
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    try {
      this.#runRequests();
    } catch (error) {
      this.#refuse(error);
    }
    this.#isRunning = false;
    this.#flush();
    if (this.session.isClosing) this.#end();
    else {
      this.#countGuestBytes();
      this.#steerInput();
    }
  }

  #runRequests(): void {
    const { session } = this;
    while (!session.isBlocked && !session.isClosing && !this.#output.isFull) {
      this.#parser.limits = session.isMember
        ? this.#limits.memberRequests
        : this.#limits.guestRequests;
      const words = this.#parser.next();
      if (words === undefined) return;
      session.lastActiveMs = this.#clock.monotonicMs();
      const { hidden } = this.#parser;
      const reply = this.#dispatcher.execute(session, words, hidden);
      // A password has been compared by now, also when the answer to it waits.
      wipe(hidden);
      if (typeof reply !== "string") {
        this.#wait(reply);
        return;
      }
      this.#replies += reply;
      if (this.#replies.length > FLUSH_BYTES) this.#flush();
    }
  }

  #wait(suspension: Suspension): void {
    this.session.isBlocked = true;
    this.#stopWaiting = suspension((reply) => {
      this.#stopWaiting = null;
      if (this.#isClosed) return;
      this.#replies += reply;
      // The reply may come while another connection's push is served: go on after that.
      queueMicrotask(() => {
        this.session.isBlocked = false;
        this.session.lastActiveMs = this.#clock.monotonicMs();
        this.#run();
      });
    });
  }

  #push(reply: Reply): boolean {
    if (this.#isClosed || this.session.isClosing) return false;
    if (this.#output.isFull) {
      this.#missedPushes += 1;
      this.session.droppedPushes += 1;
      this.#counters.pushesDropped += 1;
      return false;
    }
    this.#counters.pushes += 1;
    this.#replies += reply;
    if (this.#replies.length > FLUSH_BYTES) this.#flush();
    else this.#planFlush();
    return true;
  }

  /** What is pushed in one turn leaves in one write. */
  #planFlush(): void {
    if (this.#isRunning || this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    queueMicrotask(() => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  /** The client has taken what it had left unread. */
  #onRoom(): void {
    const missed = this.#missedPushes;
    this.#missedPushes = 0;
    if (missed > 0) this.#replies += this.session.gapNotice?.(missed) ?? "";
    this.#run();
  }

  #flush(): void {
    const replies = this.#replies;
    if (replies === "" || this.#isClosed) return;
    this.#replies = "";
    this.#counters.outputBytes += replies.length;
    this.#socket.write(replies, "latin1");
    this.#output.check();
  }

  /** Answers a request that cannot be understood; where the next one starts is unknown. */
  #refuse(error: unknown): void {
    this.session.isClosing = true;
    if (error instanceof AgentError && error.code === "E_RESP_PROTOCOL") {
      this.#counters.protocolErrors += 1;
      this.#replies += failure(`ERR ${error.message}`);
      return;
    }
    // A fault of ours costs this client its connection and nobody else anything.
    this.#logger.error("connection failed unexpectedly", {
      error: errorText(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    this.#replies = "";
  }

  #countGuestBytes(): void {
    const bytes = this.session.isMember ? 0 : this.#parser.pendingBytes;
    if (bytes === this.#guestBytes) return;
    this.#counters.guestBytes += bytes - this.#guestBytes;
    this.#guestBytes = bytes;
    if (bytes > 0 && this.#counters.guestBytes > this.#limits.maxGuestBytes) {
      this.#socket.destroy();
    }
  }

  #end(): void {
    this.#stopWaiting?.();
    this.#socket.resume();
    this.#socket.destroySoon();
    this.#output.expectEnd();
  }

  /** Reads on, unless what is read would only pile up. */
  #steerInput(): void {
    const { isBlocked, isMember } = this.session;
    const isWaitingFull =
      isBlocked && (!isMember || this.#parser.pendingBytes > this.#limits.maxWaitingBytes);
    if (isWaitingFull || this.#output.isFull) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }
}

/** Replies are handed to the socket in pieces of about this size. */
const FLUSH_BYTES = 64 * 1024;
