import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Plugin } from "esbuild";

/**
 * Replaces the directory scan of `src/api/load-commands.ts` by a fixed list of imports, so that
 * every command file is inside the bundle and nothing is looked up on disk at start.
 */
export function commandListPlugin(root: string): Plugin {
  const commandsDir = join(root, "src/api/commands");
  return {
    name: "command-list",
    setup(build) {
      build.onLoad({ filter: /\/src\/api\/load-commands\.ts$/ }, async () => ({
        contents: formatCommandList(await listCommandFiles(commandsDir)),
        loader: "ts",
        resolveDir: join(root, "src/api"),
      }));
    },
  };
}

/**
 * Source of the module that stands in for `load-commands.ts`.
 *
 * @param files Paths relative to `src/api/commands`; sorted here, so one commit gives one bundle.
 */
export function formatCommandList(files: readonly string[]): string {
  const sorted = [...files].sort();
  return [
    ...sorted.map((file, index) => `import { command as c${index} } from "./commands/${file}";`),
    `const all = [${sorted.map((_, index) => `c${index}`).join(", ")}];`,
    "export const loadCommands = async () => all;",
    "",
  ].join("\n");
}

async function listCommandFiles(commandsDir: string): Promise<string[]> {
  const entries = await readdir(commandsDir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(commandsDir, join(entry.parentPath, entry.name)));
}

const KOFFI_PLATFORM = "@koromix/koffi-linux-x64";

/**
 * Makes the addon of koffi visible to the bundler: koffi builds the path of its `.node` file at run
 * time; here it is named plainly, so that it is copied beside the bundle.
 */
export function nativeAddonPlugin(root: string): Plugin {
  const modules = join(root, "node_modules");
  return {
    name: "native-addons",
    setup(build) {
      // Only the CommonJS half of koffi asks for its platform package by a literal name.
      build.onResolve({ filter: /^koffi$/ }, () => ({
        path: join(modules, "koffi/src/koffi/index.cjs"),
      }));
      build.onResolve({ filter: /^@koromix\/koffi-/ }, (args) =>
        args.path === KOFFI_PLATFORM
          ? { path: join(modules, KOFFI_PLATFORM, "linux_x64/koffi.node") }
          : { path: args.path, external: true },
      );
    },
  };
}
