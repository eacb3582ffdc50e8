import { formatNetwork, parseCidr } from "../sys/netlink/ip-text.ts";
import { nftFailure } from "./firewall.ts";
import { type Nft, runNft } from "./firewall-nft.ts";
import { bridgeOpening } from "./firewall-openings.ts";
import { formatRule, parseRules } from "./firewall-text.ts";

/** A bridge whose network is hidden behind the addresses of the node. */
export interface Masquerade {
  readonly bridge: string;
  /** `ADDRESS/PREFIX`, IPv4. */
  readonly network: string;
}

/** Family and name of the table; the filter is in one of its own. */
export const NAT_TABLE = "ip node0-nat";

/**
 * Address translation of the node: one nftables table with the chains `pre` for forwarded ports and `post` for
 * bridges, and the set `host` with the addresses of the node. Each change is one transaction.
 *
 * All methods throw AgentError `E_NFT_MISSING` | `E_NFT`.
 */
export class NatTable {
  readonly #nft: Nft;

  constructor(nft: Nft = runNft) {
    this.#nft = nft;
  }

  /**
   * Makes the chain `post` and the set `host` as told; the table goes when nothing is left in it.
   *
   * @param addresses IPv4 addresses of the node.
   */
  async apply(masquerades: readonly Masquerade[], addresses: readonly string[]): Promise<void> {
    const isNeeded = masquerades.length > 0 || (await this.forwards()).length > 0;
    const text = isNeeded ? buildNat(masquerades, addresses) : REMOVE;
    const outcome = await this.#nft(["-f", "-"], text);
    if (outcome.status !== 0) throw nftFailure("set the address translation", outcome);
  }

  /** The forwarded ports, one line each. */
  async forwards(): Promise<string[]> {
    const outcome = await this.#nft(["-j", "list", "chain", ...NAT_TABLE.split(" "), "pre"], "");
    if (outcome.status === 0) return parseRules(outcome.stdout).map(formatRule);
    if (/No such file or directory/.test(outcome.stderr) && !outcome.isMissing) return [];
    throw nftFailure("read the address translation", outcome);
  }
}

const REMOVE = `table ${NAT_TABLE}\ndelete table ${NAT_TABLE}\n`;

function buildNat(masquerades: readonly Masquerade[], addresses: readonly string[]): string {
  return [
    `table ${NAT_TABLE} {`,
    "  set host { type ipv4_addr; }",
    "  chain pre { type nat hook prerouting priority dstnat; policy accept; }",
    "  chain post { type nat hook postrouting priority srcnat; policy accept; }",
    "}",
    `flush set ${NAT_TABLE} host`,
    ...addresses.map(
      (address) => `add element ${NAT_TABLE} host { ${networkOf(`${address}/32`)} }`,
    ),
    `flush chain ${NAT_TABLE} post`,
    ...masquerades.map((one) => `add rule ${NAT_TABLE} post ${formatMasquerade(one)}`),
    "",
  ].join("\n");
}

function formatMasquerade({ bridge, network }: Masquerade): string {
  // Checks the name.
  bridgeOpening(bridge);
  return `ip saddr ${networkOf(network)} oifname != "${bridge}" masquerade`;
}

function networkOf(text: string): string {
  const cidr = parseCidr(text);
  if (cidr?.family !== 4) throw new RangeError(`Cannot use ${text}, expected an IPv4 network`);
  return formatNetwork(cidr).replace(/\/32$/, "");
}
