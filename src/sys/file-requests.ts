/** What the file helper is asked to do; each is one command of the family `filesystem`. */
export type FileRequest =
  | { readonly do: "open"; readonly path: string; readonly mode: string; readonly perm: number }
  | { readonly do: "read" | "close"; readonly fd: string }
  | { readonly do: "write"; readonly fd: string; readonly block: string }
  | { readonly do: "mkdir" | "remove" | "exists" | "list"; readonly path: string }
  | { readonly do: "move"; readonly path: string; readonly destination: string }
  | {
      readonly do: "chmod";
      readonly path: string;
      readonly mode: number;
      readonly recursive: boolean;
    }
  | {
      readonly do: "chown";
      readonly path: string;
      readonly user: string;
      readonly group: string;
      readonly recursive: boolean;
    };

/** One line of `filesystem.list`. */
export interface FileEntry {
  readonly name: string;
  readonly size: number;
  /** Permission bits alone. */
  readonly mode: number;
  /** Links are not followed. */
  readonly is_dir: boolean;
}

/** A request on its way to the helper. */
export interface FileCall {
  readonly id: number;
  readonly request: FileRequest;
}

/** What the helper says. `open`: how many descriptors it holds. */
export type FileReply =
  | { readonly id: number; readonly open: number; readonly value: unknown }
  | { readonly id: number; readonly open: number; readonly error: string }
  /** The request goes on: something of it was done since the last time. */
  | { readonly id: number; readonly progress: true }
  /** It is there, or a descriptor was closed because nobody used it. */
  | { readonly open: number };

/** Largest block of `filesystem.read`. */
export const BLOCK_BYTES = 512 * 1024;

/** Descriptors that can be open at once. */
export const MAX_DESCRIPTORS = 256;

/** A descriptor nobody reads or writes is closed after this time. */
export const IDLE_DESCRIPTOR_MS = 300_000;

/** Entries of the largest directory that is listed. */
export const MAX_LIST_ENTRIES = 100_000;

/** Levels of the deepest tree that is removed or changed: each holds a descriptor. */
export const MAX_DEPTH = 1000;

/** Entries one request works on at once: each holds a thread of the helper. */
export const BATCH = 8;
