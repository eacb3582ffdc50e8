import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import type { JobResult } from "../../../src/job/types.ts";

const MIB = 1_048_576;

/** An agent in a process of its own, so that its memory is its own too. */
export class JobAgent {
  readonly client: Redis;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
    this.client = this.connect();
  }

  /** @param config Text of the main configuration. */
  static async start(config = ""): Promise<JobAgent> {
    const folder = mkdtempSync(join(tmpdir(), "node0-jobs-"));
    const file = join(folder, "node0.toml");
    writeFileSync(file, config);
    const words = ["agent", "--host", "--state-dir", folder, "--config", file];
    const child = spawn(resolve("bin/node0"), words, { stdio: ["ignore", "ignore", "pipe"] });
    await new Promise<void>((ready, fail) => {
      let log = "";
      child.stderr.on("data", (text) => {
        log = `${log}${text}`.slice(-10_000);
        if (log.includes("agent ready")) ready();
      });
      child.once("exit", () => fail(new Error(`agent ended: ${log}`)));
    });
    return new JobAgent(child, folder);
  }

  /** A connection of its own, for commands that wait. */
  connect(): Redis {
    const client = new Redis({ path: join(this.#folder, "redis.sock"), retryStrategy: () => null });
    // The connection ends with the agent, on purpose.
    client.on("error", () => {});
    return client;
  }

  async submit(command: Record<string, unknown>): Promise<void> {
    await this.client.rpush("core:default", JSON.stringify({ arguments: {}, ...command }));
  }

  async result(id: string, seconds = 60): Promise<JobResult> {
    const client = this.connect();
    const text = await client.brpoplpush(`result:${id}`, `result:${id}`, seconds);
    client.disconnect();
    return JSON.parse(text ?? "null") as JobResult;
  }

  /** Memory of the agent as the kernel sees it. */
  rssMiB(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
    return (Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024) / MIB;
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = new Promise((done) => this.#process.once("exit", done));
      this.#process.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
