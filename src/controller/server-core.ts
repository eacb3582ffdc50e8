import type { Clock } from "../base/clock.ts";
import type { Logger } from "../log/logger.ts";
import type { HeartbeatRequest, UnlockAnswer, UnlockRequest } from "../vault/controller-api.ts";
import type { AuditLine } from "./audit.ts";
import { AuditRepeats } from "./audit-repeats.ts";
import type { Metrics } from "./metrics.ts";
import { decideUnlock } from "./policy.ts";
import { RateLimit } from "./rate-limit.ts";
import { sourceOf } from "./server-address.ts";
import { RequestError } from "./server-errors.ts";
import type { Store } from "./store.ts";
import type { NodeRecord, RateLimits } from "./types.ts";

/** Machines that wait for an operator: more than these are strangers knocking. */
const MOST_PENDING = 20_000;

export const DEFAULT_LIMITS: RateLimits = {
  unlocksPerMinute: 60,
  strangersPerMinute: 120,
  failedLoginsPerMinute: 10,
};

export interface CoreOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly limits: RateLimits;
}

/** What machines may do: ask for the key, report. Decisions of operators are in `server-operator.ts`. */
export class Core {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly limits: RateLimits;
  #streams = new AbortController();
  /** For lines that requests of strangers cause. */
  readonly repeats: AuditRepeats;
  readonly #byMachine: RateLimit;
  readonly #strangers: RateLimit;
  readonly #listeners = new Set<(id: string) => void>();

  constructor({ store, clock, log, metrics, limits }: CoreOptions) {
    this.store = store;
    this.clock = clock;
    this.log = log;
    this.metrics = metrics;
    this.limits = limits;
    this.repeats = new AuditRepeats((line) => this.store.audit.append(line));
    const now = (): number => clock.monotonicMs();
    this.#byMachine = new RateLimit(limits.unlocksPerMinute, now);
    this.#strangers = new RateLimit(limits.strangersPerMinute, now);
  }

  /** Aborted when streams of operators have to end: the controller stops, or their token is no more. */
  get streams(): AbortSignal {
    return this.#streams.signal;
  }

  endStreams(): void {
    this.#streams.abort();
    this.#streams = new AbortController();
  }

  /** Whole milliseconds since the epoch. */
  nowMs(): number {
    return Math.trunc(this.clock.wallMs());
  }

  /** Calls with the id of each machine that changed or went; the returned function ends that. */
  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }

  /**
   * Answers a request for the unlock key; resolves when the answer is safe to give.
   *
   * @param from Plain address of the caller.
   * @throws RequestError 409 `E_MACS_CONFLICT`, 429 `E_THROTTLED`, 503 `E_PENDING_FULL`
   */
  async unlock(request: UnlockRequest, from: string): Promise<UnlockAnswer> {
    const ids = this.store.nodes.idsOf(request.macs);
    const [id] = ids;
    const subject = id ?? request.macs[0] ?? "";
    this.#limit({ id, subject, from });
    if (ids.length > 1) {
      this.#strangers.take(sourceOf(from));
      this.#note({ subject, actor: from, outcome: "conflict", detail: ids.join(" ") });
      await this.store.durable();
      throw new RequestError(
        409,
        "E_MACS_CONFLICT",
        "Cannot tell which machine asks: its addresses belong to several, expected one; an operator has to remove the wrong ones",
      );
    }
    if (id === undefined) this.#refuseWhenFull(request, from);
    const answer = this.store.transaction(() => this.#answer(id, request, from));
    await this.store.durable();
    return answer;
  }

  heartbeat(node: string, body: HeartbeatRequest, from: string): void {
    this.store.nodes.setHeartbeat(node, body, from);
    this.changed(node);
  }

  #answer(known: string | undefined, request: UnlockRequest, from: string): UnlockAnswer {
    const { nodes, privates } = this.store;
    const record = known === undefined ? this.#addStranger(request, from) : nodes.get(known);
    if (record === undefined) throw new Error(`no machine ${known}`);
    const { id } = record;
    const secret = record.state === "rejected" ? undefined : privates.secretOf(id);
    const { state, reason, approvesNow } = decideUnlock({
      policy: this.store.policy,
      state: record.state,
      note: record.note,
      isRegistered: nodes.isRegistered(id),
      hasKey: secret !== undefined,
      overlayAddress: record.overlayAddress,
      from,
    });
    if (approvesNow) {
      nodes.setState(id, "approved", "registered before");
      this.store.audit.append({
        ...{ action: "approve", subject: id, actor: "policy", outcome: "done" },
        detail: "registered before",
      });
    }
    // What others say in its name must not overwrite what a machine reported: only the key tells.
    if (state === "approved" || record.reported === null || record.state === "pending") {
      nodes.setReported(id, request, from);
    }
    this.#note({ subject: id, actor: from, outcome: state, detail: detailOf(record, request) });
    this.changed(id);
    const nowMs = this.nowMs();
    if (state === "approved" && secret !== undefined) return { state, node: id, ...secret, nowMs };
    return { state, node: id, reason, nowMs } as UnlockAnswer;
  }

  /** Before the transaction: its line in the audit log has to stay. */
  #refuseWhenFull(request: UnlockRequest, from: string): void {
    if (this.store.nodes.countByState().pending < MOST_PENDING) return;
    this.#note({ subject: request.macs[0] ?? "", actor: from, outcome: "full" });
    throw new RequestError(
      503,
      "E_PENDING_FULL",
      `Cannot take a new machine: ${MOST_PENDING} wait for an operator already`,
      60,
    );
  }

  #addStranger(request: UnlockRequest, from: string): NodeRecord {
    return this.store.nodes.add({
      macs: request.macs,
      isRegistered: false,
      overlayAddress: "",
      reported: request,
      address: from,
    });
  }

  /**
   * An address that has named too many machines nobody knows gets no more answers at all: if known
   * ones were still answered, guessing would go on at full speed.
   */
  #limit({ id, subject, from }: { id: string | undefined; subject: string; from: string }): void {
    const source = sourceOf(from);
    const stranger = id === undefined ? this.#strangers.take(source) : this.#strangers.peek(source);
    const machine = stranger.isAllowed && id !== undefined ? this.#byMachine.take(id) : stranger;
    if (machine.isAllowed) return;
    const isStranger = !stranger.isAllowed;
    this.#note({
      subject: isStranger ? "" : subject,
      actor: isStranger ? source : from,
      outcome: "throttled",
      detail: isStranger ? `${this.limits.strangersPerMinute} unknown machines a minute` : "",
    });
    throw new RequestError(
      429,
      "E_THROTTLED",
      `Cannot answer: too many requests of this ${isStranger ? "address" : "machine"}`,
      machine.retryAfterS,
    );
  }

  /** Given keys are written one by one, the rest without its repeats. */
  #note(line: Omit<AuditLine, "action">): void {
    const full = { action: "unlock", ...line };
    this.metrics.unlock(line.outcome);
    if (line.outcome === "approved") this.store.audit.append(full);
    else this.repeats.append(full);
  }
}

function detailOf(record: NodeRecord, request: UnlockRequest): string {
  const strange = request.macs.filter((mac) => !record.macs.includes(mac));
  if (strange.length === 0) return "";
  return `names ${strange.length} more: ${strange.slice(0, 4).join(" ")}`;
}
