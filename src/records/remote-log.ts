import { connect, type Socket } from "node:net";
import { hostname } from "node:os";
import { backoffDelayMs, DEFAULT_BACKOFF } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { LoggingConfig } from "../config/node-config-logging.ts";
import type { JobMessage } from "../job/types.ts";
import type { Logger } from "../log/logger.ts";
import { formatJsonLine } from "./json-line.ts";
import { type Batch, lostRecord, RecordQueue } from "./record-queue.ts";
import { formatSyslog } from "./syslog.ts";

export interface RemoteLogOptions extends Omit<LoggingConfig["remote"], "levels"> {
  readonly clock: Clock;
  readonly log: Logger;
}

const BATCH_BYTES = 64 * 1024;
const CONNECT_LIMIT_MS = 10_000;
/** A peer that takes nothing for so long is left, and connected anew. */
const STALL_LIMIT_MS = 60_000;
const KEEPALIVE_MS = 30_000;

/**
 * Sends records over TCP. It connects with the first record, again and again when the other side is
 * away, and keeps as many records as the buffer holds; the oldest leave first and are counted. A batch
 * that the connection broke under is sent once more, so records may come twice.
 */
export class RemoteLog {
  readonly #options: RemoteLogOptions;
  readonly #queue: RecordQueue;
  #socket: Socket | undefined;
  #isConnected = false;
  /** What was given to the socket and is not known to have left. */
  #batch: Batch | undefined;
  #isSending = false;
  /** Failures since something was sent. */
  #failures = 0;
  #cancelTimer: () => void = () => {};
  #isWaiting = false;
  #isStopped = false;

  constructor(options: RemoteLogOptions) {
    this.#options = options;
    this.#queue = new RecordQueue(options.buffer);
  }

  /** Records that were lost for want of room. */
  get lost(): number {
    return this.#queue.allLost;
  }

  push(message: JobMessage): void {
    this.#queue.push(message);
    if (this.#isConnected) this.#send();
    else this.#connect();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
    this.#socket?.destroy();
  }

  #connect(): void {
    if (this.#socket !== undefined || this.#isWaiting || this.#isStopped) return;
    const { host, port } = splitAddress(this.#options.address);
    const socket = connect({ host, port, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
    this.#socket = socket;
    let reason = "the other side closed the connection";
    socket.unref();
    socket.once("connect", () => {
      this.#cancelTimer();
      this.#isConnected = true;
      // Nothing is expected from there, but what comes must be taken for the end to be seen.
      socket.resume();
      this.#send();
    });
    socket.on("error", (error) => {
      reason = errorText(error);
    });
    socket.once("close", () => this.#closed(reason));
    this.#limit(CONNECT_LIMIT_MS, "no answer");
  }

  #send(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#isSending) return;
    if (this.#batch === undefined && this.#queue.isEmpty) return;
    this.#batch ??= this.#queue.take(BATCH_BYTES);
    this.#isSending = true;
    this.#limit(STALL_LIMIT_MS, "the other side takes nothing");
    socket.write(this.#format(this.#batch), (error) => {
      // After an error the socket closes, and the batch waits for the next one.
      if (error !== null && error !== undefined) return;
      this.#cancelTimer();
      this.#isSending = false;
      this.#batch = undefined;
      if (this.#failures > 0) this.#options.log.info("remote log is taken again");
      this.#failures = 0;
      this.#send();
    });
  }

  #format({ records, lost }: Batch): Buffer {
    const { format, clock } = this.#options;
    const node = hostname();
    const all = lost === 0 ? records : [lostRecord(lost, clock.wallNs()), ...records];
    if (format === "syslog") return Buffer.concat(all.map((record) => formatSyslog(record, node)));
    return Buffer.from(all.map((record) => formatJsonLine(record, node)).join(""), "utf8");
  }

  #closed(reason: string): void {
    const { clock, log } = this.#options;
    this.#cancelTimer();
    const wasIdle = this.#isConnected && this.#batch === undefined;
    this.#socket = undefined;
    this.#isConnected = false;
    this.#isSending = false;
    if (this.#isStopped) return;
    this.#failures += 1;
    const delayMs = backoffDelayMs(DEFAULT_BACKOFF, this.#failures, Math.random());
    const fields = { attempt: this.#failures, delayMs, reason };
    if (this.#failures === 1 && !wasIdle) log.warn("remote log cannot be reached", fields);
    else log.debug("remote log cannot be reached", fields);
    this.#isWaiting = true;
    this.#cancelTimer = clock.after(delayMs, () => {
      this.#isWaiting = false;
      if (this.#batch !== undefined || !this.#queue.isEmpty) this.#connect();
    });
  }

  #limit(limitMs: number, reason: string): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(limitMs, () => {
      this.#socket?.destroy(new Error(`${reason} for ${limitMs / 1000} s`));
    });
  }
}

/** `HOST:PORT` or `[IPV6]:PORT`, as the configuration has checked it. */
function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(address.slice(colon + 1)) };
}
