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

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  async use<T>(
    work: (channel: Channel) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const connection = this.#takeIdle() ?? (await openConnection(this.#options, signal));
    this.#leased.add(connection);
    try {
      return await work(connection);
    } finally {
      this.#leased.delete(connection);
      if (connection.isOpen && this.#idle.length < MAX_IDLE) this.#idle.push(connection);
      else connection.destroy();
    }
  }

  close(): void {
    for (const connection of [...this.#idle, ...this.#leased]) connection.destroy();
    this.#idle.length = 0;
  }

  #takeIdle(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || connection.isOpen) return connection;
    }
  }
}
