import type { HeartbeatRequest, UnlockRequest } from "../vault/controller-api.ts";

export type NodeState = "pending" | "approved" | "rejected" | "revoked";

/** One machine. Times are milliseconds since the epoch. */
export interface NodeRecord {
  /** 12 lower-case letters and digits, made by the controller; common name of its client certificate. */
  readonly id: string;
  readonly state: NodeState;
  /** Why it is in this state, for people; empty while pending. */
  readonly note: string;
  /** Each belongs to one node alone. */
  readonly macs: readonly string[];
  /** What its last unlock request said; null for one that was registered before it ever asked. */
  readonly reported: UnlockRequest | null;
  /** Where that request came from; empty before it. */
  readonly address: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Overlay address the policy `overlay` wants its requests from; empty: none, keys are withheld. */
  readonly overlayAddress: string;
  /** Revision of its private configuration; 0 without one. */
  readonly revision: number;
  /** Serial numbers of client certificates that are refused, hexadecimal. */
  readonly revokedSerials: readonly string[];
  readonly heartbeat: (HeartbeatRequest & { readonly atMs: number; readonly from: string }) | null;
}

/**
 * `manual`: an operator approves each machine. `registered`: machines registered by MAC before are
 * approved with their first request. `overlay`: as `manual`, and keys are given only to requests that
 * come from the overlay address of the node.
 */
export type Policy = "manual" | "registered" | "overlay";

/** One line of the audit log; lines are never changed or removed. */
export interface AuditEntry {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly atMs: number;
  /** `unlock`, `approve`, `reject`, `revoke`, `register`, `private`, `login`, `policy` … */
  readonly action: string;
  /** Node id, or the MAC where there is none; empty for what concerns no machine. */
  readonly subject: string;
  /** `operator`, `node`, or an address. */
  readonly actor: string;
  /** `approved`, `pending`, `rejected`, `throttled`, `done`, `failed` … */
  readonly outcome: string;
  readonly detail: string;
  /** SHA-256 over the entry and the digest of the one before, hexadecimal: gaps and changes show. */
  readonly digest: string;
}

/** How much a source may ask for unlock keys, counted by machine and by address. */
export interface RateLimits {
  /** Of one known machine. */
  readonly unlocksPerMinute: number;
  /** Requests that name no known machine, of one address. */
  readonly strangersPerMinute: number;
  readonly failedLoginsPerMinute: number;
}
