import { join } from "node:path";
import { AgentError, errorText } from "../base/errors.ts";
import { isKernelPackage, readRecipe } from "./recipe.ts";

const USAGE = `Usage: node0 image build [--flavour cloud|generic] [--layout erofs|squashfs|cpio]
                         [--compression NAME[,LEVEL]] [--out DIR] [--files DIR]...
                         [--zerotier-bin PATH|none] [--debian-mirror URL] [--bundle DIR]
       node0 image lock [--debian-mirror URL]
       node0 image verify [--out DIR]
`;

/** Project directory: this file is `src/image/command.ts` in it. */
const ROOT = join(import.meta.dirname, "../..");

/**
 * Runs `node0 image …`: `build` makes the boot files, `lock` refreshes the package lock,
 * `verify` compares boot files with their manifest.
 *
 * @returns Exit code: 0, 1 when the work failed, 2 for wrong words.
 */
export async function runImageCommand(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  const action = name === undefined ? undefined : ACTIONS[name];
  if (action === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  try {
    return await action(rest);
  } catch (error) {
    process.stderr.write(`image: ${errorText(error)}\n`);
    return error instanceof AgentError && error.code === "E_USAGE" ? 2 : 1;
  }
}

const ACTIONS: Readonly<Record<string, (argv: readonly string[]) => Promise<number>>> = {
  build: runBuild,
  lock: runLock,
  verify: runVerify,
};

const say = (line: string): void => {
  process.stderr.write(`image: ${line}\n`);
};

async function runBuild(argv: readonly string[]): Promise<number> {
  const [{ parseImageOptions }, { buildImage }] = await Promise.all([
    import("./options.ts"),
    import("./build.ts"),
  ]);
  const options = parseImageOptions(argv, ROOT);
  const { initrdBytes, kernelBytes, kernelVersion } = await buildImage(options, {
    root: ROOT,
    say,
  });
  say(`${options.outDir}: kernel ${kernelVersion} ${mb(kernelBytes)}, initrd ${mb(initrdBytes)}`);
  return 0;
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function runLock(argv: readonly string[]): Promise<number> {
  const [{ parseImageOptions }, { openAptFor }, { resolveLock, writeLock }] = await Promise.all([
    import("./options.ts"),
    import("./workshop.ts"),
    import("./lock.ts"),
  ]);
  const options = parseImageOptions(argv, ROOT);
  const recipe = await readRecipe(ROOT);
  const { debianMirror } = options;
  const apt = await openAptFor({
    root: ROOT,
    say,
    cacheDir: join(ROOT, ".node0/cache"),
    release: recipe.release,
    ...(debianMirror === undefined ? {} : { debianMirror }),
  });
  const lock = await resolveLock(apt, recipe);
  await writeLock(ROOT, lock);
  for (const [set, packages] of Object.entries(lock.sets)) {
    const kernel = packages.find((entry) => isKernelPackage(entry.name));
    say(`${set}: ${packages.length} packages${kernel ? `, kernel ${kernel.version}` : ""}`);
  }
  return 0;
}

async function runVerify(argv: readonly string[]): Promise<number> {
  const [{ parseImageOptions }, { verifyImage }] = await Promise.all([
    import("./options.ts"),
    import("./manifest.ts"),
  ]);
  const { outDir } = parseImageOptions(argv, ROOT);
  const changed = await verifyImage(outDir);
  for (const path of changed) say(`${path} is not what the manifest says`);
  if (changed.length === 0) say(`${outDir} is intact`);
  return changed.length === 0 ? 0 : 1;
}
