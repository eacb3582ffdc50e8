import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AgentError } from "../base/errors.ts";
import { readFlagHash, withFlagHash } from "./code-cache-file.ts";
import { exists } from "./package-cache.ts";
import { runTool } from "./run-tool.ts";

/** Where the cache lies beside the bundle; the start scripts of the image name the same directory. */
const CACHE_NAME = "cache";

/**
 * Node.js draws a number per process against crafted hash keys, and the order in which V8 stores
 * names follows it. Compiling needs a fixed number, and code that was compiled must not be dropped.
 */
const FIXED = [
  "--hash-seed=1",
  "--no-flush-bytecode",
  // The name of a file becomes part of its code, so the name has to be the one below.
  "--preserve-symlinks",
  "--preserve-symlinks-main",
];

/** The bundle directory as the child sees it, wherever it is: descriptor 3. */
const BUNDLE = "/proc/self/fd/3";

const READY_MS = 30_000;
const POLL_MS = 20;

/**
 * Lets the image's own Node.js run the bundle once on this machine and keeps the byte code, so that
 * no machine has to compile it. Same bundle, same bytes.
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
    await compileBundle(nodeFile, { bundleDir, workDir });
    const dir = await onlyDirectory(made);
    for (const name of await readdir(dir)) {
      const file = join(dir, name);
      await writeFile(file, withFlagHash(await readFile(file), plain.flagHash));
    }
    await rename(dir, join(made, plain.name));
    await requireAccepted(nodeFile, { bundleDir, workDir });
  } finally {
    await rm(workDir, { recursive: true });
  }
}

interface Places {
  readonly bundleDir: string;
  /** Short: it takes a unix socket. */
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
): Promise<{ name: string; flagHash: number }> {
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

async function compileBundle(nodeFile: string, { bundleDir, workDir }: Places): Promise<void> {
  const bundle = await open(bundleDir, "r");
  const start = (words: readonly string[]): ChildProcess =>
    spawn(nodeFile, [...FIXED, ...words], {
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", ...cacheEnvironment(`${BUNDLE}/cache`) },
      stdio: ["ignore", "ignore", "ignore", bundle.fd],
    });
  try {
    await once(start([`${BUNDLE}/node0.mjs`, "--help"]), "exit");
    await runHostAgent(start([`${BUNDLE}/agent.cjs`, "--host", "--state-dir", workDir]), workDir);
  } finally {
    await bundle.close();
  }
}

/** Lets the agent run as on a host until it has answered, so that what a start needs is compiled. */
async function runHostAgent(child: ChildProcess, workDir: string): Promise<void> {
  const socket = join(workDir, "redis.sock");
  const ended = once(child, "exit");
  const limit = AbortSignal.timeout(READY_MS);
  try {
    while (!(await exists(socket))) {
      if (child.exitCode !== null || limit.aborted) throw noCache("the agent does not start");
      await delay(POLL_MS);
    }
    await ask(socket);
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

/** One job from request to answer, as any client would. */
async function ask(socket: string): Promise<void> {
  const connection = connect(socket);
  connection.write("*1\r\n$4\r\nPING\r\n*1\r\n$9\r\ncore.ping\r\n");
  let seen = "";
  for await (const bytes of connection) {
    seen += String(bytes);
    if (seen.split("\r\n").length > 2) break;
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
