import { AgentError } from "../base/errors.ts";
import { type Connection, readConnections } from "./firewall-connections.ts";
import { type Nft, type NftOutcome, runNft } from "./firewall-nft.ts";
import {
  buildRuleset,
  clearTable,
  expectedTable,
  type FirewallPolicy,
  MARK,
  TABLE,
} from "./firewall-rules.ts";

/** What the kernel holds of ours. */
export interface FirewallStatus {
  /** Name of the policy in force; null where our table is missing or was changed by others. */
  readonly digest: string | null;
  /** Number of rules in our table. */
  readonly rules: number;
  /** Packets dropped since the rules were set. */
  readonly droppedPackets: number;
}

const NOTHING: FirewallStatus = { digest: null, rules: 0, droppedPackets: 0 };

/**
 * The packet filter of the node: one nftables table, replaced as a whole in one transaction. Tables of
 * others are neither read nor changed, and nothing of ours is left after `remove`.
 *
 * All methods throw AgentError `E_NFT_MISSING` | `E_NFT`; a refused change leaves what was there.
 */
export class Firewall {
  readonly #nft: Nft;
  readonly #connections: () => Promise<readonly Connection[]>;
  #last: Promise<unknown> = Promise.resolve();

  constructor({
    nft = runNft,
    connections = readConnections,
  }: { nft?: Nft; connections?: () => Promise<readonly Connection[]> } = {}) {
    this.#nft = nft;
    this.#connections = connections;
  }

  /**
   * Makes the kernel follow a policy; does nothing where it does already.
   *
   * @throws AgentError `E_FIREWALL_POLICY` before anything is changed.
   */
  apply(policy: FirewallPolicy): Promise<{ readonly isChanged: boolean }> {
    return this.#inTurn(async () => {
      const expected = expectedTable(policy);
      const { digest, rules } = await this.#read();
      if (digest === expected.digest && rules === expected.rules) return { isChanged: false };
      await this.#change(buildRuleset(policy, await this.#connections()), "set the packet filter");
      return { isChanged: true };
    });
  }

  /** Takes our table away: everything is accepted again, as far as others do. */
  remove(): Promise<void> {
    return this.#inTurn(() =>
      this.#change(`${clearTable().join("\n")}\n`, "remove the packet filter"),
    );
  }

  status(): Promise<FirewallStatus> {
    return this.#inTurn(() => this.#read());
  }

  async #read(): Promise<FirewallStatus> {
    const outcome = await this.#nft(["-j", "list", "table", ...TABLE], "");
    if (outcome.status === 0) return parseTable(outcome.stdout);
    if (/No such file or directory/.test(outcome.stderr) && !outcome.isMissing) return NOTHING;
    throw failure("read the packet filter", outcome);
  }

  async #change(text: string, what: string): Promise<void> {
    const outcome = await this.#nft(["-f", "-"], text);
    if (outcome.status !== 0) throw failure(what, outcome);
  }

  /** Reading and changing are two steps: two callers must not mix theirs. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

interface ListedRule {
  readonly comment?: string;
  readonly expr?: readonly { readonly counter?: { readonly packets?: number } }[];
}

interface ListedChain {
  readonly name?: string;
  readonly policy?: string;
}

/**
 * Reads `nft -j list table inet node0`. The digest stands in the comment of the last rule: comments of
 * tables and chains are missing from the JSON of nft 1.0.6, and a rule goes with a flush.
 * Source: libnftables-json(5).
 */
export function parseTable(text: string): FirewallStatus {
  const { nftables } = JSON.parse(text) as {
    nftables: readonly { readonly rule?: ListedRule; readonly chain?: ListedChain }[];
  };
  const rules = nftables.flatMap(({ rule }) => rule ?? []);
  const chains = nftables.flatMap(({ chain }) => chain ?? []);
  const last = rules.at(-1);
  const isOurs =
    chains.length === 1 && chains[0]?.policy === "drop" && last?.comment?.startsWith(MARK) === true;
  const counter = last?.expr?.find((entry) => entry.counter !== undefined)?.counter;
  return {
    digest: isOurs ? (last?.comment?.slice(MARK.length) ?? null) : null,
    rules: rules.length,
    droppedPackets: counter?.packets ?? 0,
  };
}

function failure(what: string, { isMissing, stderr }: NftOutcome): AgentError {
  if (isMissing) {
    return new AgentError(
      "E_NFT_MISSING",
      `Cannot ${what}: no program nft seen, expected nftables`,
    );
  }
  // The second line quotes the rule, the third points at it.
  const [seen = ""] = stderr.trim().split("\n");
  return new AgentError("E_NFT", `Cannot ${what}: ${seen || "no reason"} seen, expected success`);
}
