import { AgentError, errorText } from "../../base/errors.ts";
import type { OperatorTarget } from "../operator-target.ts";
import type { PrivateContext } from "./context.ts";
import { type PrivateWords, parsePrivateWords } from "./options.ts";

const USAGE = `Usage: node0 private create --mac MAC [--mac MAC]... --out DIR CONTROLLER
                            [--authorized-keys FILE]... [--ssh-host-key FILE]
                            [--redis-password-file FILE] [--net-toml FILE]
                            [--zerotier DIR] [--files DIR] [--no-upload] [--approve]
       node0 private edit DIR CONTROLLER|--no-upload [-- COMMAND [ARGUMENT]...]
       node0 private rotate DIR CONTROLLER
       node0 private upload DIR CONTROLLER
       node0 private verify DIR [CONTROLLER]
CONTROLLER: --dir DIR, or --url URL --ca FILE --token-file FILE
`;

/**
 * Runs `node0 private …`: makes, changes and checks what a machine sees at `/mnt/etc`.
 *
 * @returns Exit code: 0, 1 when the work failed or a check did, 2 for wrong words, 130 when interrupted.
 */
export async function runPrivateCommand(words: readonly string[]): Promise<number> {
  if (words.some((word) => word === "--help" || word === "-h")) {
    process.stdout.write(USAGE);
    return 0;
  }
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    return await run(parsePrivateWords(words), interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) {
      say("interrupted");
      return 130;
    }
    // Cleaning up after a failure can fail as well; the failure is what matters.
    if (error instanceof SuppressedError) say(errorText(error.suppressed));
    say(errorText(error instanceof SuppressedError ? error.error : error));
    if (!(error instanceof AgentError && error.code === "E_USAGE")) return 1;
    process.stderr.write(USAGE);
    return 2;
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const say = (line: string): void => {
  process.stderr.write(`private: ${line}\n`);
};

async function run(words: PrivateWords, signal: AbortSignal): Promise<number> {
  const context = await openContext(words.target, signal);
  switch (words.action) {
    case "create": {
      const { createPrivate } = await import("./create.ts");
      await createPrivate(words.create, context);
      return 0;
    }
    case "edit": {
      const { editPrivate } = await import("./edit.ts");
      const mustUpload = words.target !== undefined;
      const command = words.command ?? editor();
      await editPrivate({ directory: words.directory, command, mustUpload }, context);
      return 0;
    }
    case "rotate": {
      const { rotatePrivate } = await import("./rotate.ts");
      await rotatePrivate(words.directory, context);
      return 0;
    }
    case "upload": {
      const { uploadPrivate } = await import("./upload.ts");
      await uploadPrivate(words.directory, context);
      return 0;
    }
    case "verify":
      return await runVerify(words, context);
  }
}

async function openContext(
  target: OperatorTarget | undefined,
  signal: AbortSignal,
): Promise<PrivateContext> {
  if (target === undefined) return { controller: undefined, say, signal };
  const { OperatorClient } = await import("../operator-client.ts");
  return { controller: new OperatorClient(target), say, signal };
}

async function runVerify(
  { directory, target }: Extract<PrivateWords, { action: "verify" }>,
  context: PrivateContext,
): Promise<number> {
  const [{ verifyPrivate }, { fetchPrivate }] = await Promise.all([
    import("./verify.ts"),
    import("./fetch-private.ts"),
  ]);
  const problems = await verifyPrivate(
    {
      directory,
      ...(target === undefined ? {} : { fetch: (mac: string) => fetchPrivate(target, mac) }),
    },
    context,
  );
  for (const problem of problems) say(problem);
  if (problems.length === 0) say(`${directory} is intact and complete`);
  return problems.length === 0 ? 0 : 1;
}

/** Opens the directory: editors list what is in it. */
function editor(): string[] {
  const words = (process.env["VISUAL"] || process.env["EDITOR"] || "").split(" ").filter(Boolean);
  if (words.length > 0) return [...words, "."];
  throw new AgentError(
    "E_USAGE",
    "Cannot edit: neither VISUAL nor EDITOR is set, expected one or a command behind --",
  );
}
