import type { Files } from "../../src/sys/files.ts";

/** Files in memory. A directory exists when it was made or something lies below it. */
export class MemoryFiles implements Files {
  readonly texts = new Map<string, string>();
  readonly directories = new Map<string, number>();
  /** Paths whose writing fails, with the message to fail with. */
  readonly failing = new Map<string, string>();
  readonly #watchers = new Set<{ path: string; onChange: () => void }>();

  constructor(texts: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(texts)) this.texts.set(path, text);
  }

  readText(path: string): string | undefined {
    return this.texts.get(path);
  }

  writeText(path: string, text: string): void {
    const failure = this.failing.get(path);
    if (failure !== undefined) throw new Error(failure);
    this.texts.set(path, text);
    for (const watcher of [...this.#watchers]) {
      if (path.startsWith(`${watcher.path}/`)) watcher.onChange();
    }
  }

  replaceText(path: string, text: string): void {
    this.writeText(path, text);
  }

  list(path: string): string[] {
    const below = [...this.texts.keys(), ...this.directories.keys()]
      .filter((other) => other.startsWith(`${path}/`))
      .map((other) => other.slice(path.length + 1).split("/")[0] ?? "");
    return [...new Set(below)];
  }

  exists(path: string): boolean {
    return this.texts.has(path) || this.directories.has(path) || this.list(path).length > 0;
  }

  ensureDirectory(path: string, mode: number): void {
    if (!this.directories.has(path)) this.directories.set(path, mode);
  }

  remove(path: string): void {
    this.texts.delete(path);
  }

  watch(path: string, onChange: () => void): () => void {
    const watcher = { path, onChange };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
