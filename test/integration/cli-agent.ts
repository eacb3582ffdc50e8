import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const NODE0 = join(import.meta.dirname, "../../bin/node0");

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** An agent in host mode with a directory and a port of its own, and the tool to talk to it. */
export class HostAgent {
  readonly directory = mkdtempSync(join(tmpdir(), "node0-cli-"));
  readonly passwordFile = join(this.directory, "password");
  port = 0;
  #process: ChildProcess | undefined;

  /** @param config Text of its main configuration; that of the host without it. */
  async start(config?: string): Promise<void> {
    writeFileSync(this.passwordFile, "correct horse\n", { mode: 0o600 });
    if (this.port === 0) this.port = await freePort();
    const args = ["agent", "--host", "--listen", `127.0.0.1:${this.port}`];
    args.push("--password-file", this.passwordFile, "--state-dir", join(this.directory, "state"));
    if (config !== undefined) {
      const file = join(this.directory, "node0.toml");
      writeFileSync(file, config);
      args.push("--config", file);
    }
    const child = spawn(NODE0, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    const log = createInterface({ input: child.stderr });
    await new Promise<void>((resolve, reject) => {
      log.on("line", (line) => {
        if (line.includes('"agent ready"')) resolve();
      });
      child.once("exit", (code) => reject(new Error(`the agent ended with ${code}`)));
    });
  }

  /** Ends the agent as a crash would. */
  async crash(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Starts the tool with the options that name this agent. */
  spawn(...words: string[]) {
    const target = ["--port", String(this.port), "--password-file", this.passwordFile];
    return spawn(NODE0, [...target, ...words], { cwd: this.directory });
  }

  /** Runs the tool to its end. */
  async cli(words: readonly string[], input = ""): Promise<Outcome> {
    const child = this.spawn(...words);
    child.stdin.end(input);
    return await outcome(child);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }
}

/** Collects what a process writes until it ends. */
export async function outcome(child: ReturnType<HostAgent["spawn"]>): Promise<Outcome> {
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
