import { randomInt } from "node:crypto";
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { HeartbeatRequest, UnlockRequest } from "../vault/controller-api.ts";
import type { NodeRecord, NodeState } from "./types.ts";

type Row = Record<string, SQLOutputValue>;

/** Heartbeat with where and when it came from. */
export type Heartbeat = NonNullable<NodeRecord["heartbeat"]>;

export interface NewNode {
  readonly macs: readonly string[];
  readonly isRegistered: boolean;
  readonly overlayAddress: string;
  readonly reported: UnlockRequest | null;
  readonly address: string;
}

export type UndecidedNode = Pick<NodeRecord, "id" | "lastSeenMs">;

const SELECT = `SELECT n.*, h.body AS heartbeat,
    (SELECT json_group_array(mac ORDER BY place) FROM macs WHERE node = n.id) AS macs,
    (SELECT json_group_array(serial ORDER BY revoked_ms) FROM certificates
      WHERE node = n.id AND revoked_ms IS NOT NULL) AS revoked
  FROM nodes n LEFT JOIN heartbeats h ON h.node = n.id`;

/** Machines and their addresses. Every method is one short synchronous step. */
export class NodeTable {
  readonly #statements: ReturnType<typeof prepare>;
  readonly #nowMs: () => number;
  /** Heartbeats not written yet, by node. Losing them costs nothing: the next ones come within 30 s. */
  readonly #beats = new Map<string, Heartbeat>();

  constructor(database: DatabaseSync, nowMs: () => number) {
    this.#statements = prepare(database);
    this.#nowMs = nowMs;
  }

  get(id: string): NodeRecord | undefined {
    const row = this.#statements.one.get(id);
    return row === undefined ? undefined : this.#read(row);
  }

  /** State alone: what every request with a client certificate asks for. */
  stateOf(id: string): NodeState | undefined {
    return this.#statements.state.get(id)?.["state"] as NodeState | undefined;
  }

  /** The machines these addresses belong to, each once. */
  idsOf(macs: readonly string[]): readonly string[] {
    return [...new Set(macs.flatMap((mac) => this.idOf(mac) ?? []))];
  }

  idOf(mac: string): string | undefined {
    return this.#statements.byMac.get(mac)?.["node"] as string | undefined;
  }

  isRegistered(id: string): boolean {
    return this.#statements.registered.get(id)?.["registered"] === 1;
  }

  /** Up to `limit` machines with an id above `after`, in the order of their ids. */
  page(after: string, limit: number): readonly NodeRecord[] {
    return this.#statements.page.all(after, limit).map((row) => this.#read(row));
  }

  countByState(): Readonly<Record<NodeState, number>> {
    const counts = { pending: 0, approved: 0, rejected: 0, revoked: 0 };
    for (const row of this.#statements.count.all()) {
      counts[row["state"] as NodeState] = Number(row["count"]);
    }
    return counts;
  }

  add(node: NewNode): NodeRecord {
    const id = this.#freeId();
    const now = this.#nowMs();
    const reported = node.reported === null ? null : JSON.stringify(node.reported);
    const { insert } = this.#statements;
    insert.run(
      id,
      node.isRegistered ? 1 : 0,
      reported,
      node.address,
      now,
      now,
      node.overlayAddress,
    );
    this.addMacs(id, node.macs);
    return this.#require(id);
  }

  /** Addresses of other machines must not be among them. */
  addMacs(id: string, macs: readonly string[]): void {
    for (const [place, mac] of macs.entries()) this.#statements.addMac.run(mac, id, place);
  }

  /** An operator named this machine: it counts as registered, and its overlay address may change. */
  register(id: string, overlayAddress: string | undefined): NodeRecord {
    this.#statements.register.run(overlayAddress ?? null, id);
    return this.#require(id);
  }

  setState(id: string, state: NodeState, note: string): NodeRecord {
    this.#statements.setState.run(state, note, id);
    return this.#require(id);
  }

  setReported(id: string, reported: UnlockRequest, address: string): void {
    this.#statements.report.run(JSON.stringify(reported), address, this.#nowMs(), id);
  }

  /**
   * Machines nobody decided over: neither registered by an operator nor given a private configuration.
   * Up to `limit` with an id above `after`, in the order of their ids.
   */
  undecided(after: string, limit: number): readonly UndecidedNode[] {
    return this.#statements.undecided.all(after, limit).map((row) => ({
      id: String(row["id"]),
      lastSeenMs: Number(row["last_seen_ms"]),
    }));
  }

  remove(id: string): void {
    this.#beats.delete(id);
    this.#statements.remove.run(id);
  }

  /** Kept in memory until `writeHeartbeats`. */
  setHeartbeat(id: string, body: HeartbeatRequest, from: string): void {
    this.#beats.set(id, { ...body, atMs: this.#nowMs(), from });
  }

  /**
   * Writes up to `most` heartbeats, those that came first; to be called in one transaction. Few at a
   * time, because 300 rows all over the table hold the event loop for 10 ms and more.
   */
  writeHeartbeats(most = Number.POSITIVE_INFINITY): void {
    let left = most;
    for (const [id, beat] of this.#beats) {
      if (left <= 0) return;
      left -= 1;
      // Only of machines that are still there.
      this.#statements.beat.run(JSON.stringify(beat), id);
      this.#beats.delete(id);
    }
  }

  /** Heartbeats that are not written yet. */
  get waitingHeartbeats(): number {
    return this.#beats.size;
  }

  #read(row: Row): NodeRecord {
    const record = readNode(row);
    const beat = this.#beats.get(record.id);
    if (beat === undefined) return record;
    return { ...record, heartbeat: beat, lastSeenMs: Math.max(record.lastSeenMs, beat.atMs) };
  }

  #require(id: string): NodeRecord {
    const record = this.get(id);
    if (record === undefined) throw new Error(`no machine ${id}`);
    return record;
  }

  #freeId(): string {
    for (;;) {
      const id = Array.from({ length: 12 }, () => randomInt(36).toString(36)).join("");
      if (this.stateOf(id) === undefined) return id;
    }
  }
}

function prepare(database: DatabaseSync): Record<StatementName, StatementSync> {
  return {
    one: database.prepare(`${SELECT} WHERE n.id = ?`),
    page: database.prepare(`${SELECT} WHERE n.id > ? ORDER BY n.id LIMIT ?`),
    state: database.prepare("SELECT state FROM nodes WHERE id = ?"),
    registered: database.prepare("SELECT registered FROM nodes WHERE id = ?"),
    byMac: database.prepare("SELECT node FROM macs WHERE mac = ?"),
    count: database.prepare("SELECT state, count(*) AS count FROM nodes GROUP BY state"),
    insert: database.prepare(
      `INSERT INTO nodes (id, state, registered, reported, address, first_seen_ms, last_seen_ms,
         overlay_address) VALUES (?, 'pending', ?, ?, ?, ?, ?, ?)`,
    ),
    addMac: database.prepare("INSERT INTO macs VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
    register: database.prepare(
      "UPDATE nodes SET registered = 1, overlay_address = coalesce(?, overlay_address) WHERE id = ?",
    ),
    setState: database.prepare("UPDATE nodes SET state = ?, note = ? WHERE id = ?"),
    report: database.prepare(
      "UPDATE nodes SET reported = ?, address = ?, last_seen_ms = ? WHERE id = ?",
    ),
    undecided: database.prepare(
      `SELECT id, last_seen_ms FROM nodes WHERE state = 'pending' AND id > ? AND registered = 0
         AND uploads = 0 ORDER BY id LIMIT ?`,
    ),
    remove: database.prepare("DELETE FROM nodes WHERE id = ?"),
    beat: database.prepare(
      `INSERT INTO heartbeats SELECT id, ?1 FROM nodes WHERE id = ?2
         ON CONFLICT (node) DO UPDATE SET body = excluded.body`,
    ),
  };
}

type StatementName =
  | "one"
  | "page"
  | "state"
  | "registered"
  | "byMac"
  | "count"
  | "insert"
  | "addMac"
  | "register"
  | "setState"
  | "report"
  | "undecided"
  | "remove"
  | "beat";

function readNode(row: Row): NodeRecord {
  const json = (name: string): unknown =>
    row[name] === null ? null : JSON.parse(String(row[name]));
  const heartbeat = json("heartbeat") as Heartbeat | null;
  return {
    id: String(row["id"]),
    state: row["state"] as NodeState,
    note: String(row["note"]),
    macs: json("macs") as string[],
    reported: json("reported") as UnlockRequest | null,
    address: String(row["address"]),
    firstSeenMs: Number(row["first_seen_ms"]),
    // Heartbeats do not touch the row of the machine: that would double what they write.
    lastSeenMs: Math.max(Number(row["last_seen_ms"]), heartbeat?.atMs ?? 0),
    overlayAddress: String(row["overlay_address"]),
    revision: Number(row["revision"]),
    revokedSerials: json("revoked") as string[],
    heartbeat,
  };
}
