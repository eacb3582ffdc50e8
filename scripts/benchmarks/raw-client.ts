import { connect, type Socket } from "node:net";
import Parser from "redis-parser";

export type Reply = string | number | null | Error | Reply[];

/**
 * The thinnest client that can pipeline: what is measured is the server. One `send` is one write;
 * it resolves when every command of the batch has its reply, in order.
 */
export class RawClient {
  readonly #socket: Socket;
  #waiting: { left: number; replies: Reply[]; done: (replies: Reply[]) => void }[] = [];

  static connect(port: number, host = "127.0.0.1"): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RawClient(socket)));
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    const parser = new Parser({
      returnReply: (reply: Reply) => this.#take(reply),
      returnError: (error: Error) => this.#take(error),
    });
    socket.on("data", (chunk) => parser.execute(chunk as Buffer));
  }

  send(commands: readonly (readonly string[])[]): Promise<Reply[]> {
    const text = commands.map(encode).join("");
    return new Promise((resolve) => {
      this.#waiting.push({ left: commands.length, replies: [], done: resolve });
      this.#socket.write(text);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(reply: Reply): void {
    const batch = this.#waiting[0];
    if (batch === undefined) return;
    batch.replies.push(reply);
    batch.left -= 1;
    if (batch.left > 0) return;
    this.#waiting.shift();
    batch.done(batch.replies);
  }
}

function encode(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
  return text;
}
