import { isIP } from "node:net";
import type { PeerCertificate } from "node:tls";
import type { Redis } from "ioredis";
import { AgentError, errorCode } from "../base/errors.ts";
import { connectError, type Endpoint, formatEndpoint, isReplyError, replyError } from "./errors.ts";

/** How long the node may be late with the answer to a blocking command (wire protocol 2.3, rule 5). */
const LATE_MS = 5000;

export interface ConnectionOptions {
  readonly endpoint: Endpoint;
  /** Undefined: no authentication is tried. */
  readonly password: string | undefined;
  /** Absent: no TLS. `ca`: PEM text the node's certificate is held to. */
  readonly tls?: { readonly ca?: string } | undefined;
  /** Limit in milliseconds for connecting and logging in together. */
  readonly timeoutMs: number;
}

/** Requests on one connection. */
export interface Channel {
  readonly isOpen: boolean;
  call(name: string, args: readonly string[], signal?: AbortSignal): Promise<unknown>;
  block(
    name: string,
    keys: readonly string[],
    seconds: number,
    signal?: AbortSignal,
  ): Promise<unknown>;
  subscribe(channel: string, onText: (text: string) => void, signal: AbortSignal): Promise<void>;
  /** Stops and resumes reading from the node. */
  pause(isPaused: boolean): void;
  destroy(): void;
}

/**
 * One authenticated connection to a node. It never reconnects and never repeats a request: what has
 * been sent and what has not is for the caller to judge.
 */
export class Connection implements Channel {
  readonly #redis: Redis;
  readonly #endpoint: Endpoint;
  #isDestroyed = false;

  constructor(redis: Redis, endpoint: Endpoint) {
    this.#redis = redis;
    this.#endpoint = endpoint;
  }

  get isOpen(): boolean {
    return !this.#isDestroyed && this.#redis.status === "ready";
  }

  /**
   * Sends one request and waits for its reply: a string, a number, an array or null.
   *
   * @throws JobError for a `JOBERR` reply; AgentError `E_AUTH` | `E_REFUSED` for other error replies,
   * `E_CONNECTION_LOST` when the reply cannot come any more, `E_ABORTED` | `E_DEADLINE` by `signal`.
   */
  async call(name: string, args: readonly string[], signal?: AbortSignal): Promise<unknown> {
    throwIfAborted(signal);
    const stop = () => this.destroy();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await this.#redis.call(name, ...args);
    } catch (error) {
      throwIfAborted(signal);
      throw isReplyError(error) ? replyError(error, this.#endpoint) : this.#lost(error);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /**
   * Sends a blocking list command whose last argument is `seconds`. A node that stays silent for
   * longer than it promised counts as gone, so half-open connections end here.
   */
  async block(
    name: string,
    keys: readonly string[],
    seconds: number,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const timer = setTimeout(() => this.destroy(), seconds * 1000 + LATE_MS);
    try {
      return await this.call(name, [...keys, String(seconds)], signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Hands on what the node pushes on a channel. Ends the connection when it ends itself.
   *
   * @returns Never before the end: rejects when the connection breaks, by `signal`, and when `onText` throws.
   */
  async subscribe(
    channel: string,
    onText: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { promise: end, reject } = Promise.withResolvers<void>();
    end.catch(() => undefined);
    const redis = this.#redis;
    redis.on("message", (_channel: string, text: string) => {
      try {
        onText(text);
      } catch (error) {
        reject(error);
      }
    });
    redis.on("close", () => reject(this.#lost(new Error("closed"))));
    const stop = () => reject(abortError(signal));
    signal.addEventListener("abort", stop, { once: true });
    try {
      await this.call("SUBSCRIBE", [channel], signal);
      await end;
    } finally {
      signal.removeEventListener("abort", stop);
      this.destroy();
    }
  }

  pause(isPaused: boolean): void {
    const stream = this.#redis.stream as Redis["stream"] | undefined;
    if (isPaused) stream?.pause();
    else stream?.resume();
  }

  /** Ends the connection; requests that wait for a reply fail with `E_CONNECTION_LOST`. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    hangUp(this.#redis);
  }

  #lost(cause: unknown): AgentError {
    const where = formatEndpoint(this.#endpoint);
    return new AgentError(
      "E_CONNECTION_LOST",
      `Cannot hear from ${where} any more: connection lost`,
      { cause, fields: { where, reason: errorCode(cause) ?? "" } },
    );
  }
}

/**
 * Connects and logs in.
 *
 * @throws AgentError `E_CONNECT` | `E_AUTH` | `E_ABORTED` | `E_DEADLINE`
 */
export async function openConnection(
  options: ConnectionOptions,
  signal?: AbortSignal,
): Promise<Connection> {
  // Loading ioredis takes longer than everything else a short command does: only when needed.
  const { Redis } = await import("ioredis");
  const { endpoint, password } = options;
  const redis = new Redis({
    ...(endpoint.path === ""
      ? { host: endpoint.host, port: endpoint.port }
      : { path: endpoint.path }),
    ...(password === undefined ? {} : { password }),
    ...(options.tls === undefined ? {} : { tls: await tlsOptions(endpoint, options.tls.ca) }),
    lazyConnect: true,
    connectTimeout: options.timeoutMs,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: null,
    disableClientInfo: true,
  });
  let reason: unknown;
  redis.on("error", (error) => {
    reason = error;
  });
  // A forwarded port may accept connections long before anyone answers behind it, so the limit
  // covers the log-in too.
  const limit = AbortSignal.timeout(options.timeoutMs);
  const stop = () => hangUp(redis);
  limit.addEventListener("abort", stop);
  signal?.addEventListener("abort", stop);
  try {
    throwIfAborted(signal);
    await redis.connect();
    const connection = new Connection(redis, endpoint);
    // A server may accept HELLO without a log-in; only a request tells whether one is needed.
    await connection.call("PING", []);
    return connection;
  } catch (error) {
    hangUp(redis);
    throwIfAborted(signal);
    if (limit.aborted) throw connectError(noAnswer(options.timeoutMs), endpoint);
    if (error instanceof AgentError && error.code !== "E_CONNECTION_LOST") throw error;
    throw connectError(reason ?? error, endpoint);
  } finally {
    limit.removeEventListener("abort", stop);
    signal?.removeEventListener("abort", stop);
  }
}

/** The name in certificates that nodes make themselves. */
const NODE_NAME = "node0";

/** A certificate is good for the host that was asked for, or as a node's own one. */
async function tlsOptions(endpoint: Endpoint, ca: string | undefined) {
  const { checkServerIdentity } = await import("node:tls");
  return {
    servername: isIP(endpoint.host) === 0 ? endpoint.host : NODE_NAME,
    ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
    checkServerIdentity: (host: string, certificate: PeerCertificate) =>
      checkServerIdentity(NODE_NAME, certificate) === undefined
        ? undefined
        : checkServerIdentity(host, certificate),
  };
}

/** Closes at once: without `destroy`, ioredis waits up to 2 s for the other side to close as well. */
function hangUp(redis: Redis): void {
  redis.disconnect();
  (redis.stream as Redis["stream"] | undefined)?.destroy();
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/** What a caller sees whose signal was aborted: by a time limit, or by its own decision. */
export function abortError(signal: AbortSignal): AgentError {
  const reason: unknown = signal.reason;
  if (reason instanceof DOMException && reason.name === "TimeoutError") {
    return new AgentError("E_DEADLINE", "Cannot wait any longer: the time limit is used up", {
      cause: reason,
    });
  }
  return new AgentError("E_ABORTED", "Cannot go on: the caller gave up", { cause: reason });
}

function noAnswer(timeoutMs: number): Error {
  const error = new Error(`no answer within ${timeoutMs / 1000} s`);
  return Object.assign(error, { code: "ETIMEDOUT" });
}
