import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { NetworkStatus } from "../../../src/network/status.ts";
import type { PhaseStatus } from "../../../src/sequencer/types.ts";
import type { NetworkNodeEvent, NetworkNodeOrder } from "../../fixtures/network-node.ts";

export const isDone = ({ state }: PhaseStatus): boolean => state === "done";
export const isRetrying = ({ state }: PhaseStatus): boolean => state === "retrying";

/** One run of the network phase, and what it says. */
export class LabAgent {
  readonly #child: ChildProcess;
  readonly #phases: PhaseStatus[] = [];
  readonly #answers: Exclude<NetworkNodeEvent, PhaseStatus>[] = [];
  #hasEnded = false;
  #wake = Promise.withResolvers<void>();

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("the agent has no output");
    const lines = createInterface({ input: child.stdout });
    const wake = (): void => {
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    };
    lines.on("line", (line) => {
      const event = JSON.parse(line) as NetworkNodeEvent;
      if ("phase" in event) this.#phases.push(event);
      else this.#answers.push(event);
      wake();
    });
    lines.on("close", () => {
      this.#hasEnded = true;
      wake();
    });
  }

  /** The next status for which `isWanted` holds. The time limit is that of the test. */
  async until(isWanted: (status: PhaseStatus) => boolean): Promise<PhaseStatus> {
    for (;;) {
      const status = this.#phases.shift();
      if (status === undefined) await this.#more();
      else if (isWanted(status)) return status;
    }
  }

  async status(): Promise<NetworkStatus> {
    return (await this.#ask({ do: "status" }, "status")).status;
  }

  async reload(): Promise<{ isAccepted: boolean; problems: readonly string[] }> {
    return (await this.#ask({ do: "reload" }, "reload")).reload;
  }

  /** Processor time so far and memory. */
  async usage(): Promise<{ cpuMs: number; residentKiB: number }> {
    return (await this.#ask({ do: "usage" }, "usage")).usage;
  }

  /** The host name a DHCP server gave, as soon as it is told. */
  async hostname(): Promise<string> {
    return (await this.#answer("hostname")).hostname;
  }

  /** Ends it as it ends by itself; what it started goes on. */
  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }

  /** Kills it the hard way; what it started goes on. */
  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    // nsenter waits for the program it runs in the other pid namespace: that one has to die.
    const children = readFileSync(
      `/proc/${this.#child.pid}/task/${this.#child.pid}/children`,
      "utf8",
    );
    for (const pid of children.trim().split(" ")) process.kill(Number(pid), "SIGKILL");
    await ended;
  }

  #ask<Key extends string>(order: NetworkNodeOrder, key: Key) {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    return this.#answer(key);
  }

  async #answer<Key extends string>(
    key: Key,
  ): Promise<Extract<NetworkNodeEvent, { readonly [K in Key]: unknown }>> {
    for (;;) {
      const at = this.#answers.findIndex((event) => key in event);
      if (at >= 0) return this.#answers.splice(at, 1)[0] as never;
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    if (this.#hasEnded) throw new Error("the agent ended before it said what was waited for");
    await this.#wake.promise;
  }
}
