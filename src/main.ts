import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";

/**
 * Composition root of `node0`: the first word decides which part of the program runs. Parts are
 * loaded only when they run, because the tool has to start quickly.
 */
export async function main(words: readonly string[]): Promise<number> {
  const [part, ...rest] = words;
  switch (part) {
    case "agent": {
      const { runAgent } = await import("./agent.ts");
      return await runAgent(rest);
    }
    case "image": {
      const { runImageCommand } = await import("./image/command.ts");
      return await runImageCommand(rest);
    }
    case "controller": {
      const { runControllerCommand } = await import("./controller/command.ts");
      return await runControllerCommand(rest);
    }
    case "private": {
      const { runPrivateCommand } = await import("./controller/private/command.ts");
      return await runPrivateCommand(rest);
    }
    case "file-helper": {
      const { runFileHelper } = await import("./sys/file-helper.ts");
      return await runFileHelper();
    }
    case "download-helper": {
      const { runDownloadHelper } = await import("./sys/download/helper.ts");
      return await runDownloadHelper();
    }
    case "bootserver":
      process.stderr.write(`node0: ${part} is not in this version\n`);
      return 2;
    default: {
      const { runCli } = await import("./cli/cli.ts");
      const { openProcessIo } = await import("./cli/process-io.ts");
      return await runCli(words, openProcessIo());
    }
  }
}

/**
 * Keeps compiled code beside the packages: a short command then starts in a third of the time. Only
 * in a source tree, where the cache is as safe as the code itself (a shared temporary directory is not).
 */
function keepCompiledCode(): void {
  const packages = join(import.meta.dirname, "../node_modules");
  if (existsSync(packages)) enableCompileCache(join(packages, ".cache/node0"));
}

keepCompiledCode();
process.exitCode = await main(process.argv.slice(2));
