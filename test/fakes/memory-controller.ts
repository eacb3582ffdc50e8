import { AgentError } from "../../src/base/errors.ts";
import type { AuditEntry, NodeRecord, NodeState, Policy } from "../../src/controller/types.ts";
import type {
  CertificateView,
  Decision,
  LoginOutcome,
  WebController,
} from "../../src/controller/web/web-controller.ts";

export const OPERATOR_TOKEN = "operator-token-of-the-tests-0123456789";

/** What the page needs of a controller, in memory. */
export class MemoryController implements WebController {
  readonly nodes = new Map<string, NodeRecord>();
  readonly entries: AuditEntry[] = [];
  readonly certificatesOf = new Map<string, readonly CertificateView[]>();
  readonly #listeners = new Set<(id: string) => void>();
  readonly #nowMs: () => number;
  #policy: Policy = "manual";

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Adds or replaces a machine and tells everybody. */
  put(node: NodeRecord): void {
    this.nodes.set(node.id, node);
    this.#changed(node.id);
  }

  remove(id: string): void {
    this.nodes.delete(id);
    this.#changed(id);
  }

  listNodes = (): readonly NodeRecord[] => [...this.nodes.values()];
  getNode = (id: string): NodeRecord | undefined => this.nodes.get(id);
  certificates = (id: string): readonly CertificateView[] => this.certificatesOf.get(id) ?? [];
  approve = (id: string, decision: Decision): void => this.#decide(id, "approved", decision);
  reject = (id: string, decision: Decision): void => this.#decide(id, "rejected", decision);
  revoke = (id: string, decision: Decision): void => this.#decide(id, "revoked", decision);
  audit = (after: number, limit: number): readonly AuditEntry[] =>
    this.entries.slice(after, after + limit);
  auditEnd = (): number => this.entries.length;
  policy = (): Policy => this.#policy;
  checkToken = (text: string): boolean => text === OPERATOR_TOKEN;

  setPolicy = (policy: Policy, from: string): void => {
    this.#policy = policy;
    this.record({ action: "policy", actor: `operator ${from}`, outcome: "done", detail: policy });
  };

  recordLogin = (outcome: LoginOutcome, from: string): void => {
    this.record({ action: "login", actor: from, outcome });
  };

  onChange = (listener: (id: string) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  record(entry: Partial<AuditEntry>): void {
    const sequence = this.entries.length + 1;
    this.entries.push({
      ...{ atMs: this.#nowMs(), action: "", subject: "", actor: "", outcome: "", detail: "" },
      ...entry,
      sequence,
      digest: sequence.toString(16).padStart(64, "0"),
    });
  }

  #decide(id: string, state: NodeState, { note, from }: Decision): void {
    const node = this.nodes.get(id);
    if (node === undefined) {
      throw new AgentError("E_NODE_UNKNOWN", `Cannot find the machine ${id}: none has this id`);
    }
    const action = { approved: "approve", rejected: "reject", revoked: "revoke", pending: "" }[
      state
    ];
    this.record({ action, subject: id, actor: `operator ${from}`, outcome: "done", detail: note });
    this.put({ ...node, state, note });
  }

  #changed(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }
}

/** A machine that has asked once; `changes` say what is different. */
export function makeNode(changes: Partial<NodeRecord> & { readonly id: string }): NodeRecord {
  return {
    ...{ state: "pending", note: "", macs: ["52:54:00:12:34:56"], address: "10.20.0.17" },
    reported: {
      macs: ["52:54:00:12:34:56"],
      serial: "SN-4711",
      vendor: "Supermicro",
      product: "SYS-5019",
      overlayId: "89e92ceee5",
      version: "main 8d6d35d",
    },
    ...{ firstSeenMs: 1_795_168_000_000, lastSeenMs: 1_795_168_400_000 },
    ...{ overlayAddress: "", revision: 0, revokedSerials: [], heartbeat: null },
    ...changes,
  };
}

/** A heartbeat of a machine that has booted. */
export function makeHeartbeat(
  atMs: number,
  changes: Partial<NonNullable<NodeRecord["heartbeat"]>> = {},
): NonNullable<NodeRecord["heartbeat"]> {
  const phase = (name: string, startMs: number, endMs: number, attempts = 1, reason = "") => ({
    ...{ phase: name, state: "done", startMs, endMs, attempts, reason },
  });
  return {
    ...{ version: "main 8d6d35d", hostname: "rack1-07", uptimeS: 93_784, from: "10.20.0.21", atMs },
    addresses: ["eth0 10.20.0.21/24", "zt0 10.147.17.42/16"],
    phases: [
      phase("system", 1930, 2140),
      phase("access", 2140, 2190),
      phase("network", 2190, 3320, 2, "dhcp on eth0"),
      phase("unlock", 3320, 3770),
      phase("controller-tls", 3770, 3830),
      phase("ssh", 3830, 4120),
    ],
    ...changes,
  };
}
