import { execFile } from "node:child_process";

/** How a helper program ended. Not being able to run it is an outcome too, not an exception. */
export interface ToolOutcome {
  /** Exit status; null when it never ran or a signal (the time limit included) ended it. */
  readonly status: number | null;
  readonly isMissing: boolean;
  readonly stdout: string;
  /** The program's own text, or why it could not be run. */
  readonly stderr: string;
}

interface ToolOptions {
  readonly timeoutMs?: number;
  readonly outputLimitBytes?: number;
}

const MIB = 1024 * 1024;

/** Runs one program with an argument array, without a shell and without standard input. */
export function runTool(
  name: string,
  args: readonly string[],
  { timeoutMs = 30_000, outputLimitBytes = 16 * MIB }: ToolOptions = {},
): Promise<ToolOutcome> {
  const options = {
    cwd: "/",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: outputLimitBytes,
    // Output is parsed: it must not follow the language of whoever started the agent.
    env: { ...process.env, LC_ALL: "C" },
  } as const;
  return new Promise((resolve) => {
    const child = execFile(name, args, options, (error, stdout, stderr) => {
      const code: unknown = error === null ? 0 : error.code;
      const reason = stderr === "" && typeof code !== "number" ? (error?.message ?? "") : stderr;
      resolve({
        status: typeof code === "number" ? code : null,
        isMissing: code === "ENOENT",
        stdout,
        stderr: reason,
      });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end();
  });
}
