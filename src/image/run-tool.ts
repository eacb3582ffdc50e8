import { AgentError } from "../base/errors.ts";

export interface ToolOptions {
  readonly cwd?: string;
  /** Text for standard input. */
  readonly input?: string;
  /** Added to a small fixed environment: what a build machine exports must not reach the image. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs one program of the build and waits for it.
 *
 * @returns Standard output.
 * @throws AgentError `E_IMAGE_TOOL` with the end of standard error.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  { cwd, input, env }: ToolOptions = {},
): Promise<string> {
  const { execa } = await import("execa");
  const result = await execa(program, [...args], {
    reject: false,
    extendEnv: false,
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      LC_ALL: "C",
      TZ: "UTC",
      ...proxies(),
      ...env,
    },
    stripFinalNewline: false,
    maxBuffer: 256 * 1024 * 1024,
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
  });
  if (result.failed) {
    const seen = String(result.stderr).trim().split("\n").slice(-4).join(" | ");
    throw new AgentError(
      "E_IMAGE_TOOL",
      `Cannot run ${program} ${args[0] ?? ""}: ${seen || (result.originalMessage ?? "")}, expected success`,
      { cause: result, fields: { exitCode: result.exitCode ?? -1 } },
    );
  }
  return String(result.stdout);
}

/** Where a build machine reaches its mirror only through a proxy, apt needs to know. */
function proxies(): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "no_proxy"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
