import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { FirewallPolicy } from "../../../src/network/firewall-rules.ts";
import type { NetworkChange, NetworkEvent, NetworkState } from "../../../src/sys/network-state.ts";
import type { CellLine, CellRequest } from "../../fixtures/network-cell.ts";

/**
 * A process in a network namespace of its own that asks the real kernel. Everything in it, processes
 * started inside included, ends with it.
 */
export class NetworkCell {
  readonly #child: ChildProcess;
  readonly #waiting: PromiseWithResolvers<unknown>[] = [];
  /** Calls of the listener after `subscribe`, in order. */
  readonly batches: (readonly NetworkEvent[])[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("the cell has no output");
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(JSON.parse(line)));
    child.on("exit", () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("the cell ended"));
    });
  }

  static async open(): Promise<NetworkCell> {
    const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const program = [process.execPath, resolve("test/fixtures/network-cell.ts")];
    const words = [...namespaces, "sh", "-c", 'mount -t sysfs s /sys && exec "$@"', "sh"];
    const child = spawn("unshare", [...words, ...program], { stdio: ["pipe", "pipe", "inherit"] });
    const cell = new NetworkCell(child);
    await cell.shell("ip link set lo up");
    return cell;
  }

  observe(): Promise<NetworkState> {
    return this.#ask({ do: "observe" }) as Promise<NetworkState>;
  }

  apply(change: NetworkChange): Promise<unknown> {
    return this.#ask({ do: "apply", change });
  }

  command(name: string, args: unknown = {}): Promise<unknown> {
    return this.#ask({ do: "command", name, args });
  }

  /** Another agent in the same namespaces. */
  async restart(): Promise<void> {
    await this.#ask({ do: "restart" });
  }

  filter(policy: FirewallPolicy): Promise<unknown> {
    return this.#ask({ do: "filter", policy });
  }

  /** Runs a script with the event loop of the cell blocked. @returns its output. */
  shell(script: string): Promise<string> {
    return this.#ask({ do: "shell", script }) as Promise<string>;
  }

  async json(script: string): Promise<readonly Record<string, unknown>[]> {
    return JSON.parse((await this.shell(script)) || "[]") as Record<string, unknown>[];
  }

  async subscribe(): Promise<void> {
    await this.#ask({ do: "subscribe" });
  }

  async unsubscribe(): Promise<void> {
    await this.#ask({ do: "unsubscribe" });
  }

  log(): Promise<readonly [string, string, Record<string, unknown>][]> {
    return this.#ask({ do: "log" }) as Promise<[string, string, Record<string, unknown>][]>;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  #ask(request: CellRequest): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.push(waiting);
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return waiting.promise;
  }

  #take(line: CellLine): void {
    if ("events" in line) {
      this.batches.push(line.events);
    } else if ("error" in line) {
      const error = Object.assign(new Error(line.error.message), { code: line.error.code });
      this.#waiting.shift()?.reject(error);
    } else {
      this.#waiting.shift()?.resolve(line.result);
    }
  }
}
