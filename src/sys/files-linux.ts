import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
  writeSync,
} from "node:fs";
import type { Files } from "./files.ts";

export const linuxFiles: Files = {
  readText(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined; // Absent, or the kernel has no value for it at the moment: the same to callers.
    }
  },

  writeText: (path, text) => writeFileSync(path, text),

  replaceText(path, text) {
    const sibling = `${path}.new`;
    const descriptor = openSync(sibling, "w", 0o600);
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(sibling, path);
  },

  list(path) {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  },

  exists: existsSync,

  ensureDirectory: (path, mode) => void mkdirSync(path, { recursive: true, mode }),

  remove: (path) => rmSync(path, { force: true }),

  watch(path, onChange) {
    try {
      const watcher = watch(path, { persistent: false }, onChange);
      watcher.on("error", () => watcher.close());
      return () => watcher.close();
    } catch {
      return () => {};
    }
  },
};
