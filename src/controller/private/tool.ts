import type { ChildProcess } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { privateError } from "./errors.ts";

export interface ToolOptions {
  /** Text for standard input: the way secrets take. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

const LIMIT_MS = 60_000;

/**
 * Runs a program and waits for it. It gets a small fixed environment.
 *
 * @returns Standard output.
 * @throws AgentError `E_PRIVATE` with the end of standard error.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  { input = "", signal }: ToolOptions = {},
): Promise<string> {
  const tool = await startTool(program, args, { input, ...(signal ? { signal } : {}) });
  const limit = setTimeout(() => tool.child.kill("SIGKILL"), LIMIT_MS);
  try {
    const code = await tool.ended;
    if (code === 0) return tool.output();
    const seen = tool.complaint() || (code === null ? "a signal ended it" : `exit code ${code}`);
    throw privateError(`Cannot run ${program}: ${seen}, expected success`, {
      exitCode: code ?? -1,
    });
  } finally {
    clearTimeout(limit);
  }
}

export interface RunningTool {
  readonly child: ChildProcess;
  /** Exit code; null after a signal. Rejects where the program cannot be started. */
  readonly ended: Promise<number | null>;
  /** Standard output so far. */
  readonly output: () => string;
  /** The end of standard error, in one line. */
  readonly complaint: () => string;
}

/** Starts a program with pipes for all three streams. */
export async function startTool(
  program: string,
  args: readonly string[],
  { input = "", signal }: ToolOptions = {},
): Promise<RunningTool> {
  const { spawn } = await import("node:child_process");
  signal?.throwIfAborted();
  const child = spawn(program, [...args], {
    env: { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    stdio: ["pipe", "pipe", "pipe"],
    // A key press meant for this program must not end what it still has to unmount.
    detached: true,
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const end = (): void => void child.kill("SIGTERM");
  signal?.addEventListener("abort", end, { once: true });
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-TEXT_LIMIT);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-TEXT_LIMIT);
  });
  // A program that ends without reading its input is judged by its exit code.
  child.stdin.on("error", () => {}).end(input);
  child.on("error", (error: NodeJS.ErrnoException) => {
    const seen = error.code === "ENOENT" ? "no such program" : (error.code ?? "unknown error");
    reject(privateError(`Cannot run ${program}: ${seen}, expected it to be installed`));
  });
  child.on("close", (code) => {
    signal?.removeEventListener("abort", end);
    resolve(code);
  });
  return {
    child,
    ended: promise,
    output: () => output,
    complaint: () => tail(errors),
  };
}

const TEXT_LIMIT = 1024 * 1024;

function tail(text: string): string {
  const lines = stripVTControlCharacters(text).trim().split("\n");
  return lines.slice(-3).join(" | ").slice(-400);
}
