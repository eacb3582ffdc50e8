import { dirname } from "node:path";
import type { UstarEntry } from "../../vault/ustar.ts";
import { privateError } from "./errors.ts";

/** The files of a private configuration while it is put together, in memory. */
export class PlainTree {
  readonly #entries = new Map<string, UstarEntry>();

  constructor(entries: readonly UstarEntry[] = []) {
    for (const entry of entries) this.#entries.set(entry.path, entry);
  }

  /** Parents before children. */
  entries(): UstarEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Paths of the files. */
  files(): string[] {
    return this.entries().flatMap(({ kind, path }) => (kind === "file" ? [path] : []));
  }

  /** Text of a file; undefined without one. */
  text(path: string): string | undefined {
    const entry = this.#entries.get(path);
    return entry?.kind === "file" ? Buffer.from(entry.content).toString("utf8") : undefined;
  }

  /** Adds a file, or replaces it, and adds the directories it needs. */
  set(path: string, content: string | Uint8Array): void {
    this.#set({ kind: "file", path, isExecutable: false, content: Buffer.from(content) });
  }

  /**
   * Adds files of a directory that was read.
   *
   * @param below Where they go: a directory, or empty for the top.
   * @param source For messages.
   * @throws AgentError `E_PRIVATE` where a file is already there.
   */
  addAll(entries: readonly UstarEntry[], below: string, source: string): void {
    for (const entry of entries) {
      const path = below === "" ? entry.path : `${below}/${entry.path}`;
      const present = this.#entries.get(path);
      if (present !== undefined && (present.kind === "file" || entry.kind === "file")) {
        throw privateError(
          `Cannot add ${path} of ${source}: it is in the configuration already, expected another name`,
        );
      }
      if (present === undefined) this.#set({ ...entry, path });
    }
  }

  #set(entry: UstarEntry): void {
    for (let parent = dirname(entry.path); parent !== "."; parent = dirname(parent)) {
      if (!this.#entries.has(parent)) {
        this.#entries.set(parent, { kind: "directory", path: parent });
      }
    }
    this.#entries.set(entry.path, entry);
  }
}
