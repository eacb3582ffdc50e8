import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { copyFile, mkdtemp, open, rename } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentError, errorCode } from "../base/errors.ts";
import { AuditLog } from "./audit.ts";
import { DATABASE_FILE } from "./store-files.ts";
import { prepareSchema } from "./store-schema.ts";

/** What a backup holds beside the database and the ciphertext, where it is there. */
const FILES = ["ca.crt", "ca.key", "server.crt", "server.key", "operator-token", "master.key"];

/** An upload during the copy replaces a file: the copy is then made again. */
const TRIES = 5;

/**
 * Writes one tar archive (mode 0600) of all a controller has, also while it serves.
 *
 * @throws AgentError `E_BACKUP`
 */
export async function backUp(directory: string, file: string): Promise<void> {
  const path = join(directory, DATABASE_FILE);
  if (!existsSync(path)) throw fail(`Cannot back up ${directory}: expected a controller in it`);
  const target = resolve(file);
  const staging = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    await copyConsistently(directory, staging);
    for (const name of FILES) {
      if (existsSync(join(directory, name))) {
        await copyFile(join(directory, name), join(staging, name));
      }
    }
    const beside = join(dirname(staging), `${basename(staging)}.tar`);
    try {
      const output = await open(beside, "wx", 0o600);
      await runTar(["--create", "--directory", staging, "."], output.fd);
      await output.sync();
      await output.close();
      await rename(beside, target);
    } finally {
      rmSync(beside, { force: true });
    }
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/**
 * Unpacks a backup into an empty directory and checks it: database, audit log, ciphertext.
 *
 * @throws AgentError `E_RESTORE`; the directory is empty again then.
 */
export async function restore(file: string, directory: string): Promise<void> {
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new AgentError(
      "E_RESTORE",
      `Cannot restore into ${directory}: there are files in it, expected an empty directory`,
    );
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    await runTar(["--extract", "--no-same-owner", "--directory", directory, "--file", file]);
    await checkCopy(directory);
  } catch (error) {
    for (const name of readdirSync(directory)) {
      rmSync(join(directory, name), { recursive: true, force: true });
    }
    throw error;
  }
}

async function copyConsistently(directory: string, staging: string): Promise<void> {
  for (let left = TRIES; ; left -= 1) {
    const copy = join(staging, DATABASE_FILE);
    rmSync(copy, { force: true });
    rmSync(join(staging, "private"), { recursive: true, force: true });
    mkdirSync(join(staging, "private"));
    const database = new DatabaseSync(join(directory, DATABASE_FILE), { timeout: 5000 });
    try {
      database.prepare("VACUUM INTO ?").run(copy);
    } finally {
      database.close();
    }
    try {
      for (const name of ciphertextOf(copy).keys()) {
        await copyFile(join(directory, "private", name), join(staging, "private", name));
      }
      break;
    } catch (error) {
      if (errorCode(error) !== "ENOENT" || left <= 1) throw error;
    }
  }
  await checkCopy(staging);
}

/** Files of the ciphertext with their SHA-256. */
function ciphertextOf(path: string): ReadonlyMap<string, string> {
  // Not read-only: that would leave the files of its write-ahead log behind.
  const database = new DatabaseSync(path);
  try {
    const rows = database
      .prepare("SELECT id, revision, sha256 FROM nodes WHERE revision > 0")
      .all();
    return new Map(rows.map((row) => [`${row["id"]}-${row["revision"]}.tar`, `${row["sha256"]}`]));
  } finally {
    database.close();
  }
}

async function checkCopy(directory: string): Promise<void> {
  const path = join(directory, DATABASE_FILE);
  if (!existsSync(path))
    throw fail(`Cannot use the archive: no ${DATABASE_FILE}, expected a backup`);
  const database = new DatabaseSync(path);
  try {
    prepareSchema(database, path);
    const broken = new AuditLog(database, () => 0).verify();
    if (broken > 0) throw fail(`Cannot use the copy: its audit log does not verify at ${broken}`);
  } finally {
    database.close();
  }
  for (const [name, sha256] of ciphertextOf(path)) {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(join(directory, "private", name))) {
      hash.update(chunk as Buffer);
    }
    if (hash.digest("hex") !== sha256) throw fail(`Cannot use private/${name}: it was changed`);
  }
}

async function runTar(words: readonly string[], output?: number): Promise<void> {
  const { promise, resolve: done, reject } = Promise.withResolvers<void>();
  const child = spawn("tar", words, { stdio: ["ignore", output ?? "ignore", "pipe"] });
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors = `${errors}${chunk.toString()}`.slice(0, 500);
  });
  child.on("error", () => reject(fail("Cannot run tar, expected it to be installed")));
  child.on("close", (code) => {
    if (code === 0) done();
    else reject(fail(`Cannot run tar: ${errors.trim().replaceAll("\n", "; ")}`));
  });
  await promise;
}

function fail(message: string): AgentError {
  return new AgentError("E_BACKUP", message);
}
