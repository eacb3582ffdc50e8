/** How a run of nft ended. */
export interface NftOutcome {
  /** Exit status; null when a signal or the time limit ended it. */
  readonly status: number | null;
  readonly isMissing: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs nft with arguments and a text for its standard input. Never rejects. */
export type Nft = (args: readonly string[], input: string) => Promise<NftOutcome>;

/** The kernel answers in milliseconds; loading its modules for the first time takes longer. */
const LIMIT_MS = 20_000;

const OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;

/** The real program. */
export const runNft: Nft = async (args, input) => {
  const { execFile } = await import("node:child_process");
  return await new Promise((resolve) => {
    const options = {
      cwd: "/",
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
      maxBuffer: OUTPUT_LIMIT_BYTES,
      // Output is parsed: it must not follow the language of whoever started the agent.
      env: { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    } as const;
    const child = execFile("nft", [...args], options, (error, stdout, stderr) => {
      const code: unknown = error === null ? 0 : error.code;
      const isTooLate = error?.killed === true;
      resolve({
        status: typeof code === "number" ? code : null,
        isMissing: code === "ENOENT",
        stdout,
        stderr: isTooLate ? `no end within ${LIMIT_MS / 1000} s` : stderr || (error?.message ?? ""),
      });
    });
    // A program that ended already does not read; how it ended says why.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
};
