import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { NodeState } from "./types.ts";

export interface CertificateRecord {
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  readonly node: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
  /** Null while it is good. */
  readonly revokedMs: number | null;
}

/** Whom a certificate was issued for, and what may have changed since. */
export interface CertificateHolder
  extends Pick<CertificateRecord, "node" | "expiresMs" | "revokedMs"> {
  readonly state: NodeState;
}

/** Client certificates that were issued. One that is not in here is nobody's, whoever signed it. */
export class CertificateTable {
  readonly #holder: StatementSync;
  readonly #ofNode: StatementSync;
  readonly #insert: StatementSync;
  readonly #revoke: StatementSync;
  readonly #nowMs: () => number;

  constructor(database: DatabaseSync, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#holder = database.prepare(
      `SELECT node, expires_ms, revoked_ms, state FROM certificates
         JOIN nodes ON nodes.id = certificates.node WHERE serial = ?`,
    );
    this.#ofNode = database.prepare(
      "SELECT * FROM certificates WHERE node = ? ORDER BY issued_ms DESC",
    );
    this.#insert = database.prepare("INSERT INTO certificates VALUES (?, ?, ?, ?, NULL)");
    this.#revoke = database.prepare(
      "UPDATE certificates SET revoked_ms = coalesce(revoked_ms, ?) WHERE serial = ? AND node = ?",
    );
  }

  /**
   * What each request with a certificate asks for, in one step.
   *
   * @param serial Lower-case hexadecimal without leading zeros, as `normalSerial` gives it.
   */
  holder(serial: string): CertificateHolder | undefined {
    const row = this.#holder.get(serial);
    if (row === undefined) return undefined;
    return {
      node: String(row["node"]),
      state: row["state"] as NodeState,
      expiresMs: Number(row["expires_ms"]),
      revokedMs: row["revoked_ms"] === null ? null : Number(row["revoked_ms"]),
    };
  }

  /** Those of a machine, newest first. */
  list(node: string): readonly CertificateRecord[] {
    return this.#ofNode.all(node).map(readCertificate);
  }

  add(serial: string, node: string, expiresMs: number): void {
    this.#insert.run(serial, node, this.#nowMs(), expiresMs);
  }

  /** @returns Whether the machine has such a certificate. */
  revoke(serial: string, node: string): boolean {
    return Number(this.#revoke.run(this.#nowMs(), serial, node).changes) > 0;
  }
}

function readCertificate(row: Record<string, SQLOutputValue>): CertificateRecord {
  return {
    serial: String(row["serial"]),
    node: String(row["node"]),
    issuedMs: Number(row["issued_ms"]),
    expiresMs: Number(row["expires_ms"]),
    revokedMs: row["revoked_ms"] === null ? null : Number(row["revoked_ms"]),
  };
}

/** Serial numbers are written in many ways; this is the one of the store. */
export function normalSerial(text: string): string {
  return text
    .replaceAll(":", "")
    .toLowerCase()
    .replace(/^0+(?=.)/, "");
}
