import { closeSync, openSync } from "node:fs";
import { AgentError } from "../base/errors.ts";
import type { ProcessName } from "../service/host.ts";
import type { Files } from "../sys/files.ts";
import { parsePidStat } from "../sys/proc/pid-files.ts";

export interface InputRequest {
  readonly path: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to its standard input through a pipe, which is closed then. Wiped in any case. */
  readonly input: Buffer;
  /** Standard output and standard error are appended here. */
  readonly outputFile: string;
}

export interface InputProcess extends ProcessName {
  /** Exit code, or null after a signal. Never rejects. */
  readonly ended: Promise<number | null>;
}

/**
 * Starts a daemon that reads a secret first. It leads a session of its own and goes on when the agent
 * dies; its memory is kept out of core dumps.
 *
 * @throws AgentError `E_SERVICE_START`.
 */
export async function startWithInput(files: Files, request: InputRequest): Promise<InputProcess> {
  const { path, args, env, input, outputFile } = request;
  try {
    const { spawn } = await import("node:child_process");
    const output = openSync(outputFile, "a", 0o600);
    let child: ReturnType<typeof spawn>;
    try {
      const stdio = ["pipe" as const, output, output];
      child = spawn(path, args, { detached: true, stdio, env, cwd: "/" });
    } finally {
      closeSync(output);
    }
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) => {
        const message = `Cannot start ${path}: ${cause.message}`;
        reject(new AgentError("E_SERVICE_START", message, { cause }));
      });
    });
    const pid = child.pid ?? 0;
    // A child is not reaped before this turn of the event loop ends, so its start time can be read.
    const startTicks = parsePidStat(files.readText(`/proc/${pid}/stat`) ?? "")?.startTicks ?? 0;
    keepOutOfDumps(files, pid);
    await new Promise<void>((resolve) => {
      // A program that ends without reading: its exit code says why.
      child.stdin?.once("error", () => resolve());
      child.stdin?.end(input, resolve);
    });
    child.unref();
    return { pid, startTicks, ended };
  } finally {
    input.fill(0);
  }
}

/** Source: core(5), "Controlling which mappings are written to the core dump". */
function keepOutOfDumps(files: Files, pid: number): void {
  try {
    files.writeText(`/proc/${pid}/coredump_filter`, "0");
  } catch {
    // It has ended already, or the kernel makes no core dumps.
  }
}
