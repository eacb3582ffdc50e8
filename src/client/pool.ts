import { AgentError } from "../base/errors.ts";
import {
  type Channel,
  type Connection,
  type ConnectionOptions,
  openConnection,
} from "./connection.ts";

/** Idle connections kept for the next request. */
const MAX_IDLE = 4;

/** Where requests get their connections from. */
export interface Channels {
  /** Runs `work` on a connection nobody else uses meanwhile. */
  use<T>(work: (channel: Channel) => Promise<T>, signal: AbortSignal | undefined): Promise<T>;
  close(): void;
}

/**
 * Connections of one client. A waiting job holds a connection of its own, because a blocking request
 * stops everything behind it.
 */
export class ConnectionPool implements Channels {
  readonly #options: ConnectionOptions;
  readonly #idle: Connection[] = [];
  readonly #leased = new Set<Connection>();
  readonly #closed = new AbortController();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  async use<T>(
    work: (channel: Channel) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const connection = this.#takeIdle() ?? (await this.#open(signal));
    this.#leased.add(connection);
    try {
      return await work(connection);
    } finally {
      this.#leased.delete(connection);
      const isKept = connection.isOpen && !this.#closed.signal.aborted;
      if (isKept && this.#idle.length < MAX_IDLE) this.#idle.push(connection);
      else connection.destroy();
    }
  }

  close(): void {
    this.#closed.abort();
    for (const connection of [...this.#idle, ...this.#leased]) connection.destroy();
    this.#idle.length = 0;
  }

  /** A connection that is being opened ends with the pool too. */
  async #open(signal: AbortSignal | undefined): Promise<Connection> {
    const closed = this.#closed.signal;
    const signals = signal === undefined ? [closed] : [closed, signal];
    try {
      return await openConnection(this.#options, AbortSignal.any(signals));
    } catch (cause) {
      if (!closed.aborted) throw cause;
      throw new AgentError("E_CONNECTION_LOST", "Cannot use the client any more: it was closed", {
        cause,
      });
    }
  }

  #takeIdle(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || connection.isOpen) return connection;
    }
  }
}
