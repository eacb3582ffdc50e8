import type { DatabaseSync } from "node:sqlite";
import { AgentError, errorText } from "../base/errors.ts";

/** Step N brings a database from version N to N + 1; a step that was released is never changed. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE nodes (
     id TEXT PRIMARY KEY,
     state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'revoked')),
     note TEXT NOT NULL DEFAULT '',
     registered INTEGER NOT NULL DEFAULT 0,
     reported TEXT,
     address TEXT NOT NULL DEFAULT '',
     first_seen_ms INTEGER NOT NULL,
     last_seen_ms INTEGER NOT NULL,
     overlay_address TEXT NOT NULL DEFAULT '',
     uploads INTEGER NOT NULL DEFAULT 0,
     revision INTEGER NOT NULL DEFAULT 0,
     sha256 TEXT NOT NULL DEFAULT '',
     sealed_key BLOB
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX nodes_state ON nodes (state);
   CREATE TABLE macs (
     mac TEXT PRIMARY KEY,
     node TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
     place INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX macs_node ON macs (node);
   CREATE TABLE certificates (
     serial TEXT PRIMARY KEY,
     node TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
     issued_ms INTEGER NOT NULL,
     expires_ms INTEGER NOT NULL,
     revoked_ms INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX certificates_node ON certificates (node);
   CREATE TABLE heartbeats (
     node TEXT PRIMARY KEY REFERENCES nodes (id) ON DELETE CASCADE,
     body TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE audit (
     sequence INTEGER PRIMARY KEY,
     at_ms INTEGER NOT NULL,
     action TEXT NOT NULL,
     subject TEXT NOT NULL,
     actor TEXT NOT NULL,
     outcome TEXT NOT NULL,
     detail TEXT NOT NULL,
     digest TEXT NOT NULL
   ) STRICT;
   CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
   CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;`,
];

/**
 * Brings an opened database to the newest version and checks that it is intact.
 *
 * @throws AgentError `E_STORE_DAMAGED` | `E_STORE_VERSION` (written by a newer release)
 */
export function prepareSchema(database: DatabaseSync, path: string): void {
  checkIntegrity(database, path);
  const version = userVersion(database);
  if (version > MIGRATIONS.length) {
    throw new AgentError(
      "E_STORE_VERSION",
      `Cannot open ${path}: version ${version}, expected at most ${MIGRATIONS.length}`,
    );
  }
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}

function checkIntegrity(database: DatabaseSync, path: string): void {
  let seen: string;
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    const row = database.prepare("PRAGMA integrity_check(1)").get();
    seen = String(row?.["integrity_check"]);
  } catch (error) {
    seen = errorText(error);
  }
  if (seen === "ok") return;
  throw new AgentError(
    "E_STORE_DAMAGED",
    `Cannot open ${path}: ${seen}, expected an intact database; restore a backup`,
  );
}

function userVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}
