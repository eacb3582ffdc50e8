import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A socket to the endpoint that shows exactly what comes back. */
export class RawConnection {
  readonly socket: Socket;
  received = "";
  isClosed = false;
  #changed: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString("latin1");
      this.#changed();
    });
    // A reset counts as closed.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.#changed();
    });
  }

  static async open(target: number | string): Promise<RawConnection> {
    const socket = typeof target === "number" ? connect(target, "127.0.0.1") : connect(target);
    await once(socket, "connect");
    socket.setNoDelay(true);
    return new RawConnection(socket);
  }

  send(bytes: string): void {
    this.socket.write(bytes, "latin1");
  }

  /** Waits until everything received satisfies the predicate. */
  async until(isDone: (received: string) => boolean): Promise<string> {
    while (!isDone(this.received)) {
      if (this.isClosed) throw new Error(`closed after ${JSON.stringify(this.received)}`);
      await this.#change();
    }
    return this.received;
  }

  /** Sends a request and waits for exactly these bytes beyond what was received before. */
  async exchange(bytes: string, reply: string): Promise<void> {
    const wanted = this.received + reply;
    this.send(bytes);
    await this.until((received) => received.length >= wanted.length);
    if (this.received !== wanted) {
      throw new Error(`${JSON.stringify(this.received)} seen, expected ${JSON.stringify(wanted)}`);
    }
  }

  /** Waits for the other side to close. @returns Everything received. */
  async closed(): Promise<string> {
    while (!this.isClosed) await this.#change();
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}

/** A request as an array of bulk strings. */
export const request = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
