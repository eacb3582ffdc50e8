import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentError, errorText } from "../base/errors.ts";

/**
 * Keeps a second controller out of the directory. The lock is the exclusive transaction of an empty
 * database: the kernel drops it with the process, however that ends, so none is ever left behind.
 *
 * @returns Gives the lock back.
 * @throws AgentError `E_STORE_LOCKED`
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, "lock");
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;");
  } catch (error) {
    database.close();
    const isTaken = errorText(error).includes("locked");
    throw new AgentError(
      isTaken ? "E_STORE_LOCKED" : "E_STORE_DAMAGED",
      `Cannot use ${directory}: ${
        isTaken ? "another controller works in it" : `${path}: ${errorText(error)}`
      }, expected a directory of its own`,
    );
  }
  return () => database.close();
}
