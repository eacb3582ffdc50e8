import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BuildOptions } from "esbuild";
import { commandListPlugin, nativeAddonPlugin } from "./bundle-plugins.ts";
import { type BuildVersion, readBuildVersion } from "./git-version.ts";
import { lazyBuiltinsPlugin, plainLoggerPlugin } from "./lazy-builtins.ts";

export interface BundleOptions {
  /** Project directory. */
  readonly root: string;
  /** Where the files go; emptied first. */
  readonly outDir: string;
}

/**
 * Bundles the agent and the command line tool, one file per process: `agent.cjs` (calls `runAgent`),
 * `node0.mjs` (runs `main.ts`), the addons they load (`*.node`) and `version.json` (see
 * {@link BuildVersion}). The agent is CommonJS, which Node.js starts faster than an ES module.
 *
 * @returns The version that was stamped in.
 */
export async function buildBundle({ root, outDir }: BundleOptions): Promise<BuildVersion> {
  const { build } = await import("esbuild");
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  const version = await readBuildVersion(root);
  const shared = sharedOptions(root);
  await Promise.all([
    build({
      ...shared,
      stdin: {
        contents: AGENT_ENTRY,
        resolveDir: root,
        sourcefile: "agent-entry.ts",
        loader: "ts",
      },
      outfile: join(outDir, "agent.cjs"),
      format: "cjs",
      plugins: [...(shared.plugins ?? []), lazyBuiltinsPlugin(), plainLoggerPlugin()],
      define: { "import.meta.url": "bundleUrl", "import.meta.dirname": "__dirname" },
      banner: { js: 'const bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
    }),
    build({
      ...shared,
      entryPoints: [join(root, "src/main.ts")],
      outfile: join(outDir, "node0.mjs"),
      format: "esm",
      banner: {
        js:
          'import{createRequire as bundleRequire}from"node:module";' +
          "const require=bundleRequire(import.meta.url),__dirname=import.meta.dirname;",
      },
    }),
  ]);
  await writeFile(join(outDir, "version.json"), `${JSON.stringify(version)}\n`);
  return version;
}

/**
 * Runs the agent, unless the file is only loaded to have it compiled. The variables of the code
 * cache are for this process, not for the jobs it starts.
 */
const AGENT_ENTRY = `
import { runAgent } from "./src/agent.ts";
if (require.main === module) {
  delete process.env.NODE_COMPILE_CACHE;
  delete process.env.NODE_COMPILE_CACHE_PORTABLE;
  runAgent(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
`;

function sharedOptions(root: string): BuildOptions {
  return {
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node26",
    // White space goes, names stay: stack traces from a machine must be readable.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    logLevel: "warning",
    loader: { ".node": "copy" },
    assetNames: "[name]",
    external: ["esbuild"],
    plugins: [commandListPlugin(root), nativeAddonPlugin(root)],
  };
}
