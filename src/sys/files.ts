/**
 * Small files of the node: /proc, /sys, state below /run. Synchronous on purpose: these calls take
 * microseconds, and a trip through the thread pool costs more than they do.
 */
export interface Files {
  /** The whole text, or undefined where it cannot be read. /sys answers EINVAL for "no value now". */
  readText(path: string): string | undefined;
  /** Writes into an existing or new file. @throws the system error. */
  writeText(path: string, text: string): void;
  /** Writes beside it, syncs and renames: readers see the old text or the new one. */
  replaceText(path: string, text: string): void;
  /** Names in a directory; empty where there is none. */
  list(path: string): string[];
  exists(path: string): boolean;
  /** Creates it with its parents. An existing one keeps its mode. @param mode For example 0o700. */
  ensureDirectory(path: string, mode: number): void;
  /** Removing what is not there is fine. */
  remove(path: string): void;
  /**
   * Calls back after something in the directory changed, perhaps more often than that. The returned
   * function ends it. A directory that cannot be watched is not an error: callers also poll.
   */
  watch(path: string, onChange: () => void): () => void;
}
