import { AgentError } from "../../../src/base/errors.ts";
import type { Channel } from "../../../src/client/connection.ts";
import type { Channels } from "../../../src/client/pool.ts";

/** What a scripted node answers to one request; thrown when it is an error. */
export type Answer = (name: string, args: readonly string[]) => unknown;

/** A node that answers by a function and records what it was asked, name and first argument. */
export class FakeChannels implements Channels {
  readonly requests: string[] = [];
  readonly #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  async use<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const ask = async (name: string, args: readonly string[]) => {
      this.requests.push(`${name} ${args[0]}`);
      return await this.#answer(name, args);
    };
    return await work({
      isOpen: true,
      call: ask,
      block: ask,
      subscribe: async (channel) => void (await ask("SUBSCRIBE", [channel])),
      pause: () => undefined,
      destroy: () => undefined,
    });
  }

  close(): void {
    return;
  }
}

export const lost = () => new AgentError("E_CONNECTION_LOST", "Cannot hear from node any more");
