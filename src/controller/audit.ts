import { createHash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AuditEntry } from "./types.ts";

/** What a caller says of an entry; the log adds number, time and digest. */
export type AuditLine = Pick<AuditEntry, "action" | "subject" | "actor" | "outcome"> & {
  readonly detail?: string;
};

/** Texts of requests reach the log: each is cut to this many characters. */
const TEXT_LIMIT = 512;

/**
 * The append-only log. Each entry carries the digest of the one before in its own, so that a change,
 * a gap or a swap inside the log shows; lines cut off its end show by comparing with an older backup.
 */
export class AuditLog {
  readonly #insert: StatementSync;
  readonly #after: StatementSync;
  readonly #last: StatementSync;
  readonly #nowMs: () => number;
  #sequence: number;
  #digest: string;

  constructor(database: DatabaseSync, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#insert = database.prepare("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    this.#after = database.prepare("SELECT * FROM audit WHERE sequence > ? ORDER BY 1 LIMIT ?");
    this.#last = database.prepare("SELECT * FROM audit ORDER BY sequence DESC LIMIT 1");
    const last = this.#last.get();
    this.#sequence = Number(last?.["sequence"] ?? 0);
    this.#digest = String(last?.["digest"] ?? "");
  }

  get length(): number {
    return this.#sequence;
  }

  append(line: AuditLine): AuditEntry {
    const plain = {
      sequence: this.#sequence + 1,
      atMs: this.#nowMs(),
      action: line.action,
      subject: cleanText(line.subject),
      actor: cleanText(line.actor),
      outcome: line.outcome,
      detail: cleanText(line.detail ?? ""),
    };
    const entry = { ...plain, digest: auditDigest(plain, this.#digest) };
    const { sequence, atMs, action, subject, actor, outcome, detail, digest } = entry;
    this.#insert.run(sequence, atMs, action, subject, actor, outcome, detail, digest);
    this.#sequence = sequence;
    this.#digest = digest;
    return entry;
  }

  /** Takes back what a transaction that failed had appended. */
  reload(): void {
    const last = this.#last.get();
    this.#sequence = Number(last?.["sequence"] ?? 0);
    this.#digest = String(last?.["digest"] ?? "");
  }

  /** Entries above `after`, oldest first. */
  list(after: number, limit: number): readonly AuditEntry[] {
    return this.#after.all(after, limit).map(readEntry);
  }

  /** @returns The number of the first entry that does not fit the one before, 0 when all do. */
  verify(): number {
    let before = "";
    let sequence = 0;
    for (const row of this.#after.iterate(0, -1)) {
      const entry = readEntry(row);
      sequence += 1;
      if (entry.sequence !== sequence || entry.digest !== auditDigest(entry, before)) {
        return sequence;
      }
      before = entry.digest;
    }
    return 0;
  }
}

/** SHA-256 over the members in the order of `AuditEntry` as a JSON array, the digest before last. */
export function auditDigest(entry: Omit<AuditEntry, "digest">, before: string): string {
  const { sequence, atMs, action, subject, actor, outcome, detail } = entry;
  return createHash("sha256")
    .update(JSON.stringify([sequence, atMs, action, subject, actor, outcome, detail, before]))
    .digest("hex");
}

/** One line of printable text: nothing of a request may break the log of whoever shows it. */
function cleanText(text: string): string {
  return text.slice(0, TEXT_LIMIT).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "?");
}

function readEntry(row: Record<string, unknown>): AuditEntry {
  return {
    sequence: Number(row["sequence"]),
    atMs: Number(row["at_ms"]),
    action: String(row["action"]),
    subject: String(row["subject"]),
    actor: String(row["actor"]),
    outcome: String(row["outcome"]),
    detail: String(row["detail"]),
    digest: String(row["digest"]),
  };
}
