import { closeSync, fdatasync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { AgentError } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import { AuditLog } from "./audit.ts";
import { CertificateTable } from "./store-certificates.ts";
import { CHECKPOINTS, Checkpoints, type CheckpointWork } from "./store-checkpoint.ts";
import { DATABASE_FILE } from "./store-files.ts";
import { Seal } from "./store-key.ts";
import { lockDirectory } from "./store-lock.ts";
import { NodeTable } from "./store-nodes.ts";
import { PrivateTable } from "./store-private.ts";
import { prepareSchema } from "./store-schema.ts";
import type { Policy } from "./types.ts";

const DEFAULT_POLICY: Policy = "manual";

/** 64 MiB: the main thread writes the log back when the thread for that does not get to it. */
const LONGEST_LOG_PAGES = 16_384;

/** Sealed at first start; opens with the right master key only. */
const CHECK_TEXT = "node0 controller";
const CHECK_CONTEXT = "check text";

export interface StoreOptions {
  /** Made where it is missing. */
  readonly directory: string;
  /** 32 bytes. */
  readonly masterKey: Buffer;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
}

/**
 * All state of a controller: one SQLite file and the ciphertext beside it, in one directory that is
 * locked while it is open.
 *
 * Changes are visible at once and survive the death of the process. Nothing may be acknowledged before
 * `durable` resolved: that makes them survive the machine. It flushes the write-ahead log on a pool
 * thread, one flush for all that wait, so the event loop never waits for the disk. This is what
 * `synchronous = NORMAL` leaves to the caller (sqlite.org/pragma.html#pragma_synchronous): a commit is
 * written but not flushed, checkpoints flush by themselves.
 */
export class Store {
  readonly nodes: NodeTable;
  readonly certificates: CertificateTable;
  readonly privates: PrivateTable;
  readonly audit: AuditLog;
  readonly #database: DatabaseSync;
  readonly #unlock: () => void;
  readonly #getMeta: StatementSync;
  readonly #setMeta: StatementSync;
  readonly #path: string;
  readonly #logPath: string;
  #logDescriptor: number | undefined;
  #flushing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #isInTransaction = false;

  /** @throws AgentError `E_STORE_LOCKED` | `E_STORE_DAMAGED` | `E_STORE_VERSION` | `E_SEAL` */
  constructor({ directory, masterKey, nowMs }: StoreOptions) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, DATABASE_FILE);
    this.#path = path;
    this.#logPath = `${path}-wal`;
    this.#unlock = lockDirectory(directory);
    this.#database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
    try {
      prepareSchema(this.#database, path);
      this.#getMeta = this.#database.prepare("SELECT value FROM meta WHERE name = ?");
      this.#setMeta = this.#database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
      const seal = new Seal(masterKey);
      this.#checkMasterKey(seal);
      this.nodes = new NodeTable(this.#database, nowMs);
      this.certificates = new CertificateTable(this.#database, nowMs);
      this.privates = new PrivateTable(this.#database, { directory, seal });
      this.audit = new AuditLog(this.#database, nowMs);
    } catch (error) {
      this.#database.close();
      this.#unlock();
      throw error;
    }
  }

  get policy(): Policy {
    const value = this.#getMeta.get("policy")?.["value"];
    return value instanceof Uint8Array ? (Buffer.from(value).toString() as Policy) : DEFAULT_POLICY;
  }

  set policy(policy: Policy) {
    this.#setMeta.run("policy", Buffer.from(policy));
  }

  /** Runs all of `action` or, where it throws, nothing of it. May be nested: the outermost one counts. */
  transaction<T>(action: () => T): T {
    if (this.#isInTransaction) return action();
    this.#database.exec("BEGIN IMMEDIATE");
    this.#isInTransaction = true;
    try {
      const result = action();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.audit.reload();
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
  }

  /** Resolves when everything changed so far survives a power cut. */
  durable(): Promise<void> {
    // A flush under way may have begun before the change: only one that begins now covers it.
    if (this.#flushing === undefined) return this.#startFlush();
    this.#next ??= this.#flushing.then(
      () => this.#startFlush(),
      () => this.#startFlush(),
    );
    return this.#next;
  }

  /** From now on a thread writes the write-ahead log back. @returns Ends that; before `close`. */
  startCheckpoints(
    log: Logger,
    times: Omit<CheckpointWork, "path"> = CHECKPOINTS,
  ): () => Promise<void> {
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${LONGEST_LOG_PAGES}`);
    const checkpoints = new Checkpoints({ path: this.#path, ...times }, log);
    checkpoints.start();
    return () => checkpoints.stop();
  }

  /** Takes a consistent copy while the controller serves. @param file Must not exist. */
  copyTo(file: string): void {
    this.#database.prepare("VACUUM INTO ?").run(file);
  }

  async close(): Promise<void> {
    this.transaction(() => this.nodes.writeHeartbeats());
    await this.durable();
    if (this.#logDescriptor !== undefined) closeSync(this.#logDescriptor);
    this.#database.close();
    this.#unlock();
  }

  #startFlush(): Promise<void> {
    this.#next = undefined;
    this.#logDescriptor ??= openSync(this.#logPath, "r");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    fdatasync(this.#logDescriptor, (error) => {
      this.#flushing = undefined;
      if (error === null) resolve();
      else reject(new AgentError("E_STORE_WRITE", `Cannot flush ${this.#logPath}: ${error.code}`));
    });
    this.#flushing = promise;
    return promise;
  }

  #checkMasterKey(seal: Seal): void {
    const sealed = this.#getMeta.get("check")?.["value"];
    if (sealed instanceof Uint8Array) seal.open(sealed, CHECK_CONTEXT);
    else this.#setMeta.run("check", seal.close(Buffer.from(CHECK_TEXT), CHECK_CONTEXT));
  }
}
