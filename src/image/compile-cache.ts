import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentError } from "../base/errors.ts";
import { readFlagHash, withFlagHash } from "./code-cache-file.ts";
import { runTool } from "./run-tool.ts";

/** Where the cache lies beside the bundle; the start scripts of the image name the same directory. */
const CACHE_NAME = "cache";

/** How the bundle is compiled. None of this changes the code that comes out, only which and where. */
const FIXED = [
  // A number drawn per process against crafted hash keys, which decides in what order names are stored.
  "--hash-seed=1",
  // The name of a file becomes part of its code, so it has to be the one below.
  "--preserve-symlinks",
  "--preserve-symlinks-main",
];

/** The bundle directory as the child sees it, wherever it is: descriptor 3. */
const BUNDLE = "/proc/self/fd/3";

/**
 * Lets the image's own Node.js compile the bundle once on this machine and keeps the byte code, so
 * that no machine has to. Same bundle, same bytes.
 *
 * V8 refuses code compiled with other flags, by a hash in each file. The flags used here do not
 * change the code, so the files get the hash of a process without flags; that such a process takes
 * them is checked.
 *
 * @throws AgentError `E_IMAGE_CACHE`
 */
export async function warmCompileCache(nodeFile: string, bundleDir: string): Promise<void> {
  const workDir = await mkdtemp(join(tmpdir(), "node0-warm-"));
  try {
    const plain = await readPlainCache(nodeFile, { bundleDir, workDir });
    const made = join(bundleDir, CACHE_NAME);
    await rm(made, { recursive: true, force: true });
    await compileBundle(nodeFile, bundleDir);
    await disguise(made, plain);
    await requireAccepted(nodeFile, { bundleDir, workDir });
  } finally {
    await rm(workDir, { recursive: true });
  }
}

/** Node.js names a directory after the flags: puts all files where, and as, a process without them looks. */
async function disguise(cache: string, plain: PlainCache): Promise<void> {
  const target = join(cache, plain.name);
  const made = await readdir(cache);
  await mkdir(target);
  for (const dir of made) {
    for (const name of await readdir(join(cache, dir))) {
      const bytes = await readFile(join(cache, dir, name));
      await writeFile(join(target, name), withFlagHash(bytes, plain.flagHash));
    }
    await rm(join(cache, dir), { recursive: true });
  }
}

interface PlainCache {
  readonly name: string;
  readonly flagHash: number;
}

interface Places {
  readonly bundleDir: string;
  readonly workDir: string;
}

const cacheEnvironment = (dir: string): Record<string, string> => ({
  NODE_COMPILE_CACHE: dir,
  NODE_COMPILE_CACHE_PORTABLE: "1",
});

/** Directory name and flag hash of a process without flags of ours. */
async function readPlainCache(
  nodeFile: string,
  { bundleDir, workDir }: Places,
): Promise<PlainCache> {
  const cache = join(workDir, "plain");
  const env = cacheEnvironment(cache);
  await runTool(nodeFile, [join(bundleDir, "node0.mjs"), "--help"], { env });
  const dir = await onlyDirectory(cache);
  const [file] = await readdir(dir);
  if (file === undefined) throw noCache("no file in it");
  return {
    name: dir.slice(cache.length + 1),
    flagHash: readFlagHash(await readFile(join(dir, file))),
  };
}

async function onlyDirectory(cache: string): Promise<string> {
  const [name, ...others] = await readdir(cache).catch(() => []);
  if (name === undefined || others.length > 0) throw noCache("not one directory in it");
  return join(cache, name);
}

const noCache = (seen: string): AgentError =>
  new AgentError(
    "E_IMAGE_CACHE",
    `Cannot keep compiled code: ${seen}, expected a cache of Node.js`,
  );

/** Asking for help loads a file and does nothing else. */
async function compileBundle(nodeFile: string, bundleDir: string): Promise<void> {
  const bundle = await open(bundleDir, "r");
  const env = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    ...cacheEnvironment(`${BUNDLE}/cache`),
  };
  const runs = [
    // Of the agent every function, not only those that the question for help runs into.
    ["--no-lazy", `${BUNDLE}/agent.cjs`, "--help"],
    [`${BUNDLE}/node0.mjs`, "--help"],
  ];
  try {
    for (const words of runs) {
      const child = spawn(nodeFile, [...FIXED, ...words], {
        env,
        stdio: ["ignore", "ignore", "ignore", bundle.fd],
      });
      await once(child, "exit");
    }
  } finally {
    await bundle.close();
  }
}

/** Code that V8 refuses is replaced when the process ends; so files that stay the same were taken. */
async function requireAccepted(nodeFile: string, { bundleDir, workDir }: Places): Promise<void> {
  const made = join(bundleDir, CACHE_NAME);
  // In another place, because that is where a machine uses it.
  await cp(bundleDir, join(workDir, "bundle"), { recursive: true });
  const moved = join(workDir, "bundle", CACHE_NAME);
  await runTool(nodeFile, [join(workDir, "bundle/node0.mjs"), "--help"], {
    env: cacheEnvironment(moved),
  });
  const [one, other] = await Promise.all([readAll(made), readAll(moved)]);
  if (one !== other) throw noCache("files that Node.js refuses");
}

async function readAll(cache: string): Promise<string> {
  const dir = await onlyDirectory(cache);
  const names = (await readdir(dir)).sort();
  const contents = await Promise.all(names.map((name) => readFile(join(dir, name), "latin1")));
  return JSON.stringify([names, contents]);
}
