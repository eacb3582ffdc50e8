import { createHash, timingSafeEqual } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Authority } from "./ca.ts";
import { RateLimit } from "./rate-limit.ts";
import { plainAddress, sourceOf } from "./server-address.ts";
import type { Core } from "./server-core.ts";
import { RequestError } from "./server-errors.ts";
import { normalSerial } from "./store-certificates.ts";
import type { NodeRecord, NodeState, Policy } from "./types.ts";

/** Every wrong token is answered this late. */
const FAILURE_DELAY_MS = 500;

/** Revocation works at once, so certificates may last as long as machines do. */
const CERTIFICATE_DAYS = 3650;
const DAY_MS = 86_400_000;

/** What each decision may start from; one that was taken already is taken again for its note. */
const DECISIONS = {
  approve: { to: "approved", from: ["pending", "rejected", "revoked", "approved"] },
  reject: { to: "rejected", from: ["pending", "rejected"] },
  revoke: { to: "revoked", from: ["approved", "revoked"] },
} as const satisfies Record<string, { to: NodeState; from: readonly NodeState[] }>;

export type DecisionName = keyof typeof DECISIONS;

/** Why, and who: an address. */
export interface OperatorNote {
  readonly note: string;
  readonly from: string;
}

/** What operators may do, over the API and over the page. Each method returns when its work is durable. */
export class Operator {
  readonly #core: Core;
  readonly #authority: Authority;
  #tokenDigest: Buffer;
  readonly #failures: RateLimit;

  constructor(options: { core: Core; authority: Authority; token: string }) {
    this.#core = options.core;
    this.#authority = options.authority;
    this.#tokenDigest = digest(options.token);
    const { clock, limits } = options.core;
    this.#failures = new RateLimit(limits.failedLoginsPerMinute, () => clock.monotonicMs());
  }

  /** From now on this one counts, and the one before no more. */
  async setToken(token: string): Promise<void> {
    this.#tokenDigest = digest(token);
    const { store, log } = this.#core;
    store.audit.append({ action: "token", subject: "", actor: "controller", outcome: "done" });
    log.info("Operator token replaced");
    await store.durable();
  }

  /** Compares in constant time. */
  checkToken(text: string): boolean {
    return timingSafeEqual(digest(text), this.#tokenDigest);
  }

  /**
   * Lets a request with the right token pass. The token has 256 bits, so the right one passes even
   * while others guess from the same address.
   *
   * @param header `Authorization`.
   * @throws RequestError 401 | 429
   */
  async authorize(header: string | undefined, from: string): Promise<void> {
    const token = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
    if (token !== undefined && this.checkToken(token)) return;
    if (token === undefined) {
      throw new RequestError(
        401,
        "E_TOKEN_MISSING",
        "Cannot act for an operator: no token, expected Authorization: Bearer TOKEN",
      );
    }
    const { isAllowed, retryAfterS } = this.#failures.take(sourceOf(from));
    this.recordLogin(isAllowed ? "failed" : "throttled", from);
    if (!isAllowed) {
      throw new RequestError(
        429,
        "E_THROTTLED",
        "Cannot check the token: too many tries",
        retryAfterS,
      );
    }
    await delay(FAILURE_DELAY_MS);
    throw new RequestError(401, "E_TOKEN_WRONG", "Cannot act for an operator: the token is wrong");
  }

  recordLogin(outcome: "done" | "failed" | "throttled", from: string): void {
    const line = { action: "login", subject: "", actor: from, outcome };
    if (outcome === "done") this.#core.store.audit.append(line);
    else this.#core.repeats.append(line);
  }

  get(id: string): NodeRecord {
    const node = this.#core.store.nodes.get(id);
    if (node === undefined) {
      throw new RequestError(404, "E_NODE_UNKNOWN", `Cannot find the machine ${id.slice(0, 64)}`);
    }
    return node;
  }

  /** @throws RequestError 404 `E_NODE_UNKNOWN`, 409 `E_NODE_STATE` */
  async decide(name: DecisionName, id: string, { note, from }: OperatorNote): Promise<NodeRecord> {
    const { to, from: states } = DECISIONS[name];
    const { state } = this.get(id);
    if (!(states as readonly NodeState[]).includes(state)) {
      throw new RequestError(
        409,
        "E_NODE_STATE",
        `Cannot ${name} the machine ${id}: it is ${state}, expected ${states.join(" or ")}`,
      );
    }
    return await this.#change({ action: name, id, from, detail: note }, () =>
      this.#core.store.nodes.setState(id, to, note),
    );
  }

  /**
   * Makes a machine known by its addresses, or adds addresses and the overlay address to one that is.
   *
   * @returns Also whether it was unknown before. @throws RequestError 400 `E_ADDRESS`, 409 `E_MACS_CONFLICT`
   */
  async register(options: {
    readonly macs: readonly string[];
    readonly overlayAddress: string | undefined;
    readonly from: string;
  }): Promise<{ readonly node: NodeRecord; readonly isNew: boolean }> {
    const { macs, from } = options;
    const overlayAddress = options.overlayAddress && plainAddress(options.overlayAddress);
    const { nodes } = this.#core.store;
    const ids = nodes.idsOf(macs);
    if (ids.length > 1) {
      throw new RequestError(
        409,
        "E_MACS_CONFLICT",
        `Cannot register the machine: its addresses belong to ${ids.join(" and ")}, expected one`,
      );
    }
    const [known] = ids;
    const plain = { isRegistered: true, reported: null, address: "" };
    const change = (): NodeRecord => {
      if (known === undefined) {
        return nodes.add({ ...plain, macs, overlayAddress: overlayAddress ?? "" });
      }
      nodes.addMacs(known, macs);
      return nodes.register(known, overlayAddress);
    };
    const detail = [macs.slice(0, 8).join(" "), overlayAddress ?? ""].filter(Boolean).join(", ");
    const node = await this.#change({ action: "register", id: known ?? "", from, detail }, change);
    return { node, isNew: known === undefined };
  }

  async remove(id: string, from: string): Promise<void> {
    const node = this.get(id);
    const { nodes, privates } = this.#core.store;
    await this.#change({ action: "remove", id, from, detail: node.macs.join(" ") }, () => {
      nodes.remove(id);
      return node;
    });
    privates.forget(id, node.revision);
  }

  /** Signs the request of a machine for a client certificate. @throws AgentError `E_CSR` */
  async issueCertificate(
    id: string,
    csr: string,
    from: string,
  ): Promise<{ readonly certificate: string; readonly ca: string }> {
    this.get(id);
    const notAfterMs = this.#core.nowMs() + CERTIFICATE_DAYS * DAY_MS;
    const { certificate, serial } = await this.#authority.signClient({ csr, node: id, notAfterMs });
    await this.#change({ action: "certificate", id, from, detail: serial }, () => {
      // It may have been removed while the certificate was made.
      const node = this.get(id);
      this.#core.store.certificates.add(serial, id, notAfterMs);
      return node;
    });
    return { certificate, ca: this.#authority.certificate };
  }

  /** @throws RequestError 404 `E_CERTIFICATE_UNKNOWN` */
  async revokeCertificate(id: string, text: string, from: string): Promise<NodeRecord> {
    const serial = normalSerial(text);
    this.get(id);
    return await this.#change({ action: "revoke-certificate", id, from, detail: serial }, () => {
      if (!this.#core.store.certificates.revoke(serial, id)) {
        throw new RequestError(
          404,
          "E_CERTIFICATE_UNKNOWN",
          `Cannot revoke the certificate ${serial.slice(0, 64)}: the machine has none with this number`,
        );
      }
      return this.get(id);
    });
  }

  async setPolicy(policy: Policy, from: string): Promise<void> {
    const { store } = this.#core;
    const detail = `${store.policy} to ${policy}`;
    store.transaction(() => {
      store.policy = policy;
      store.audit.append({
        action: "policy",
        subject: "",
        actor: operatorAt(from),
        outcome: "done",
        detail,
      });
    });
    await store.durable();
  }

  /** Makes a change and its line in the audit log in one transaction. */
  async #change(
    line: {
      readonly action: string;
      readonly id: string;
      readonly from: string;
      readonly detail: string;
    },
    change: () => NodeRecord,
  ): Promise<NodeRecord> {
    const { store } = this.#core;
    const { action, id, from, detail } = line;
    const node = store.transaction(() => {
      const changed = change();
      const subject = id === "" ? changed.id : id;
      store.audit.append({ action, subject, actor: operatorAt(from), outcome: "done", detail });
      return changed;
    });
    await store.durable();
    this.#core.log.info("Operator changed a machine", { action, node: node.id });
    this.#core.changed(node.id);
    return node;
  }
}

/** Operators share one token; the address tells them apart. */
export function operatorAt(from: string): string {
  return from === "" ? "operator" : `operator ${from}`;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
