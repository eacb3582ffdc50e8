import { AgentError } from "../base/errors.ts";
import { type Connection, readConnections } from "./firewall-connections.ts";
import { type Nft, type NftOutcome, runNft } from "./firewall-nft.ts";
import type { Opening } from "./firewall-openings.ts";
import {
  buildOpenings,
  buildRuleset,
  clearTable,
  expectedTable,
  type FirewallPolicy,
  MARK,
  OPENED,
  openingMark,
  TABLE,
} from "./firewall-rules.ts";
import { type ListedRule, parseRules } from "./firewall-text.ts";

/** What the kernel holds of ours. */
export interface FirewallStatus {
  /** Name of the policy in force; null where our table is missing or was changed by others. */
  readonly digest: string | null;
  /** Number of rules in our table. */
  readonly rules: number;
  /** Marks of what is opened beside the policy. */
  readonly opened: readonly string[];
  /** Packets dropped since the rules were set. */
  readonly droppedPackets: number;
}

const NOTHING: FirewallStatus = { digest: null, rules: 0, opened: [], droppedPackets: 0 };

/** For all packet filters of this process: reading and changing are two steps that must not mix. */
let last: Promise<unknown> = Promise.resolve();

/**
 * The packet filter of the node: one nftables table, replaced as a whole in one transaction. Tables of
 * others are neither read nor changed, and nothing of ours is left after `remove`.
 *
 * All methods throw AgentError `E_NFT_MISSING` | `E_NFT`; a refused change leaves what was there.
 */
export class Firewall {
  readonly #nft: Nft;
  readonly #connections: () => Promise<readonly Connection[]>;
  readonly #openings: () => readonly Opening[];

  constructor({
    nft = runNft,
    connections = readConnections,
    openings = () => [],
  }: {
    nft?: Nft;
    connections?: () => Promise<readonly Connection[]>;
    /** What is let in beside the policy. */
    openings?: () => readonly Opening[];
  } = {}) {
    this.#nft = nft;
    this.#openings = openings;
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
      const openings = this.#openings();
      const { digest, rules, opened } = await this.#read();
      const isSame = digest === expected.digest && rules === expected.rules;
      if (isSame && hasOpened(opened, openings)) return { isChanged: false };
      const text = buildRuleset(policy, await this.#connections(), openings);
      await this.#change(text, "set the packet filter");
      return { isChanged: true };
    });
  }

  /** Makes the kernel follow what is opened, where there is a packet filter; the policy stays. */
  applyOpenings(): Promise<void> {
    return this.#inTurn(async () => {
      const openings = this.#openings();
      const { rules, opened } = await this.#read();
      if (rules === 0 || hasOpened(opened, openings)) return;
      await this.#change(buildOpenings(openings), "change what the packet filter lets in");
    });
  }

  /** Rules in force in the order in which packets meet them; undefined without a packet filter. */
  rules(): Promise<ListedRule[] | undefined> {
    return this.#inTurn(async () => {
      const text = await this.#list();
      if (text === undefined) return undefined;
      const all = parseRules(text);
      const opened = all.filter(({ chain }) => chain === OPENED);
      return all.flatMap((rule) => {
        if (rule.chain !== "input") return [];
        return rule.expr.some((part) => part["jump"] !== undefined) ? opened : [rule];
      });
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
    const text = await this.#list();
    return text === undefined ? NOTHING : parseTable(text);
  }

  async #list(): Promise<string | undefined> {
    const outcome = await this.#nft(["-j", "list", "table", ...TABLE], "");
    if (outcome.status === 0) return outcome.stdout;
    if (/No such file or directory/.test(outcome.stderr) && !outcome.isMissing) return undefined;
    throw nftFailure("read the packet filter", outcome);
  }

  async #change(text: string, what: string): Promise<void> {
    const outcome = await this.#nft(["-f", "-"], text);
    if (outcome.status !== 0) throw nftFailure(what, outcome);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  }
}

function hasOpened(marks: readonly string[], openings: readonly Opening[]): boolean {
  return marks.join() === openings.map(openingMark).join();
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
    nftables: readonly { readonly chain?: ListedChain }[];
  };
  const all = parseRules(text);
  const rules = all.filter(({ chain }) => chain !== OPENED);
  const chains = nftables.flatMap(({ chain }) => chain ?? []);
  const lastRule = rules.at(-1);
  const isClosed =
    chains.length === 2 &&
    chains.some(({ name }) => name === OPENED) &&
    chains.some(({ policy }) => policy === "drop");
  const isOurs = isClosed && lastRule?.comment?.startsWith(MARK) === true;
  const counter = lastRule?.expr.find((part) => part["counter"] !== undefined)?.["counter"];
  return {
    digest: isOurs ? (lastRule?.comment?.slice(MARK.length) ?? null) : null,
    rules: rules.length,
    opened: all.filter(({ chain }) => chain === OPENED).map(({ comment = "" }) => comment),
    droppedPackets: (counter as { packets?: number } | undefined)?.packets ?? 0,
  };
}

/** What a run of nft that failed says; field `status` is its exit status. */
export function nftFailure(what: string, { isMissing, status, stderr }: NftOutcome): AgentError {
  if (isMissing) {
    return new AgentError(
      "E_NFT_MISSING",
      `Cannot ${what}: no program nft seen, expected nftables`,
    );
  }
  // The second line quotes the rule, the third points at it.
  const [seen = ""] = stderr.trim().split("\n");
  return new AgentError("E_NFT", `Cannot ${what}: ${seen || "no reason"} seen, expected success`, {
    fields: { status },
  });
}
