import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

/**
 * Text of a small kernel file, or undefined where it does not exist, may not be read or its owner has
 * ended: for a fact these all mean "not known". Bytes that are not UTF-8 become U+FFFD.
 *
 * Synchronous on purpose: such a read costs about 10 µs, the same read through the thread pool ten
 * times that. Only for files the kernel answers from its own tables without waiting for a lock that
 * a process or driver may hold for long; for those see {@link readTextAsync}.
 */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** As {@link readText}, off the main thread: for kernel files whose read may wait. */
export async function readTextAsync(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Names in a directory; none where it cannot be read. */
export function readNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
