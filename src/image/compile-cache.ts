import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/errors.ts";
import { runTool } from "./run-tool.ts";

/** Where the cache lies beside the bundle; the start scripts of the image name the same directory. */
export const CACHE_NAME = "cache";

/**
 * Lets the image's own Node.js compile the bundle once and keeps the byte code, so that no machine
 * has to. Node.js names the directory after its version and the user's number: here always root's.
 */
export async function warmCompileCache(nodeFile: string, bundleDir: string): Promise<void> {
  const dir = join(bundleDir, CACHE_NAME);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  const env = { NODE_COMPILE_CACHE: dir, NODE_COMPILE_CACHE_PORTABLE: "1" };
  const agent = join(bundleDir, "agent.cjs");
  await runTool(nodeFile, ["--eval", "require(process.argv[1])", "--", agent], { env });
  await runTool(nodeFile, [join(bundleDir, "node0.mjs"), "--help"], { env });
  const [made] = await readdir(dir);
  if (made === undefined) {
    throw new AgentError("E_IMAGE_CACHE", "Cannot keep compiled code: Node.js wrote no cache");
  }
  const asRoot = made.replace(/-\d+$/, "-0");
  if (asRoot !== made) await rename(join(dir, made), join(dir, asRoot));
}
