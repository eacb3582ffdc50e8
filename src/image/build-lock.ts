import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "../base/errors.ts";

const POLL_MS = 200;

/**
 * Lets one build at a time work in the cache. A lock whose owner is gone is taken over.
 *
 * @param file Holds the process number of the owner.
 * @param onWait Called once when another build is at work.
 */
export async function withBuildLock<T>(
  file: string,
  { onWait, work }: { onWait: () => void; work: () => Promise<T> },
): Promise<T> {
  let hasWaited = false;
  while (!(await take(file))) {
    if (!hasWaited) onWait();
    hasWaited = true;
    await delay(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  const owner = Number(await readFile(file, "utf8").catch(() => ""));
  // Empty: the owner is just about to write its number.
  if (owner > 0 && !isAlive(owner)) await rm(file, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}
