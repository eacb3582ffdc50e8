import type { AuditEntry, NodeRecord, NodeState, Policy } from "../types.ts";

/** Why something was decided, and who did it. */
export interface Decision {
  readonly note: string;
  /** Address of the operator, for the audit log. */
  readonly from: string;
}

/** How a login ended; goes into the audit log. */
export type LoginOutcome = "done" | "failed" | "throttled";

/** A client certificate the controller has issued. */
export interface CertificateView {
  /** Hexadecimal. */
  readonly serial: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
  readonly isRevoked: boolean;
}

/**
 * What the page needs of a controller. Everything may answer at once or later. Decisions throw
 * AgentError; its message is shown to the operator.
 */
export interface WebController {
  /** All machines, in any order; may give them one at a time, because there may be many. */
  listNodes(): Awaitable<Iterable<NodeRecord> | AsyncIterable<NodeRecord>>;
  getNode(id: string): Awaitable<NodeRecord | undefined>;
  /** Client certificates of a node, newest first. */
  certificates(id: string): Awaitable<readonly CertificateView[]>;
  approve(id: string, decision: Decision): Awaitable<unknown>;
  reject(id: string, decision: Decision): Awaitable<unknown>;
  revoke(id: string, decision: Decision): Awaitable<unknown>;
  /** Entries with a sequence number above `after`, oldest first. */
  audit(after: number, limit: number): Awaitable<readonly AuditEntry[]>;
  /** Sequence number of the newest entry; 0 for an empty log. */
  auditEnd(): Awaitable<number>;
  policy(): Awaitable<Policy>;
  setPolicy(policy: Policy, from: string): Awaitable<unknown>;
  /** Whether `text` is the operator token; compares in constant time. */
  checkToken(text: string): Awaitable<boolean>;
  recordLogin(outcome: LoginOutcome, from: string): Awaitable<unknown>;
  /** Calls with the id of each node that changed or went; the returned function ends that. */
  onChange(listener: (id: string) => void): () => void;
}

type Awaitable<T> = T | Promise<T>;

/** States in which a decision makes sense; the page offers no others. */
export const DECISIONS: Readonly<Record<"approve" | "reject" | "revoke", readonly NodeState[]>> = {
  approve: ["pending", "rejected", "revoked"],
  reject: ["pending"],
  revoke: ["approved"],
};

export type DecisionName = keyof typeof DECISIONS;
