import { createHash, type Hash, randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { removeStrayFiles, syncDirectory } from "./store-files.ts";
import type { Seal } from "./store-key.ts";

/** What an approved machine is given. */
export interface PrivateSecret {
  readonly key: string;
  readonly revision: number;
  /** Empty for revision 0. */
  readonly sha256: string;
}

export interface PrivateRevision {
  readonly revision: number;
  readonly sha256: string;
}

/** Ciphertext on its way in: a file beside the others that nothing refers to yet. */
export interface IncomingCiphertext {
  write(chunk: Uint8Array): Promise<void>;
  /** Makes it last. @returns Its size and SHA-256. */
  finish(): Promise<{ readonly sizeBytes: number; readonly sha256: string }>;
  discard(): Promise<void>;
  readonly path: string;
}

/**
 * Unlock keys, sealed in the database, and the ciphertext they belong to, one file
 * `private/<node>-<revision>.tar` each. The row says which file counts, so both change at once.
 */
export class PrivateTable {
  readonly #directory: string;
  readonly #seal: Seal;
  readonly #one: StatementSync;
  readonly #byMac: StatementSync;
  readonly #update: StatementSync;

  constructor(database: DatabaseSync, options: { directory: string; seal: Seal }) {
    this.#directory = join(options.directory, "private");
    this.#seal = options.seal;
    this.#one = database.prepare(
      "SELECT id, uploads, revision, sha256, sealed_key FROM nodes WHERE id = ?",
    );
    this.#byMac = database.prepare(
      `SELECT id, revision, sha256 FROM nodes
         WHERE id = (SELECT node FROM macs WHERE mac = ?) AND revision > 0`,
    );
    this.#update = database.prepare(
      "UPDATE nodes SET uploads = ?, revision = ?, sha256 = ?, sealed_key = ? WHERE id = ?",
    );
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const known = new Set(
      database
        .prepare("SELECT id, revision FROM nodes WHERE revision > 0")
        .all()
        .map((row) => fileName(String(row["id"]), Number(row["revision"]))),
    );
    removeStrayFiles(this.#directory, (name) => known.has(name));
  }

  /** Opens the key of a machine; undefined where none was uploaded. @throws AgentError `E_SEAL` */
  secretOf(id: string): PrivateSecret | undefined {
    const row = this.#one.get(id);
    const sealed = row?.["sealed_key"];
    if (row === undefined || !(sealed instanceof Uint8Array)) return undefined;
    const key = this.#seal.open(sealed, sealContext(id, Number(row["uploads"])));
    const secret = {
      key: key.toString("base64"),
      revision: Number(row["revision"]),
      sha256: String(row["sha256"]),
    };
    key.fill(0);
    return secret;
  }

  /** Where the ciphertext of the machine with this hardware address lies. */
  find(mac: string): (PrivateRevision & { readonly path: string }) | undefined {
    const row = this.#byMac.get(mac);
    if (row === undefined) return undefined;
    const revision = Number(row["revision"]);
    return {
      revision,
      sha256: String(row["sha256"]),
      path: join(this.#directory, fileName(String(row["id"]), revision)),
    };
  }

  async receive(): Promise<IncomingCiphertext> {
    const path = join(this.#directory, `incoming-${randomUUID()}`);
    return new IncomingFile(path, await open(path, "wx", 0o600));
  }

  /**
   * Gives a machine a key and the ciphertext that came with it. To be followed by `commit`, which is
   * synchronous and belongs into a transaction.
   *
   * @param sizeBytes 0: a key alone, for a ciphertext that is part of the image; its revision is 0.
   */
  async prepare(
    id: string,
    incoming: { readonly path: string; readonly sizeBytes: number; readonly sha256: string },
  ): Promise<{ commit(key: Uint8Array): PrivateRevision; forgetOld(): void }> {
    const before = this.#one.get(id);
    const uploads = Number(before?.["uploads"] ?? 0) + 1;
    const isEmpty = incoming.sizeBytes === 0;
    const revision = isEmpty ? 0 : uploads;
    const sha256 = isEmpty ? "" : incoming.sha256;
    if (isEmpty) await rm(incoming.path, { force: true });
    else {
      await rename(incoming.path, join(this.#directory, fileName(id, revision)));
      syncDirectory(this.#directory);
    }
    return {
      commit: (key) => {
        const sealed = this.#seal.close(key, sealContext(id, uploads));
        this.#update.run(uploads, revision, sha256, sealed, id);
        return { revision, sha256 };
      },
      forgetOld: () => this.forget(id, Number(before?.["revision"] ?? 0)),
    };
  }

  /** Removes the ciphertext of a revision that no row refers to any more. */
  forget(id: string, revision: number): void {
    if (revision > 0) rmSync(join(this.#directory, fileName(id, revision)), { force: true });
  }
}

class IncomingFile implements IncomingCiphertext {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #hash: Hash = createHash("sha256");
  #sizeBytes = 0;

  constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
    await this.#file.writeFile(chunk);
  }

  async finish(): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
    await this.#file.sync();
    await this.#file.close();
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest("hex") };
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.path, { force: true });
  }
}

function fileName(id: string, revision: number): string {
  return `${id}-${revision}.tar`;
}

/** Binds a sealed key to its row, so that rows cannot be swapped by whoever writes the database. */
function sealContext(id: string, uploads: number): string {
  return `unlock key of ${id}, upload ${uploads}`;
}
