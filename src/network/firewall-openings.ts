import { AgentError } from "../base/errors.ts";
import { isRuleInterface } from "../config/node-config-firewall.ts";
import type { Files } from "../sys/files.ts";
import { formatNetwork, parseCidr } from "../sys/netlink/ip-text.ts";

/** What is let in beside the policy, for as long as the machine is up. */
export type Opening =
  /** A TCP port, from one interface (`eth*`: all that begin so), one network, or everywhere. */
  | {
      readonly kind: "port";
      readonly port: number;
      /** Empty: every interface. */
      readonly interface: string;
      /** `ADDRESS/PREFIX`; empty: every address. */
      readonly subnet: string;
    }
  /** Name service and DHCP of a bridge, for what is attached to it. */
  | { readonly kind: "bridge"; readonly bridge: string };

/**
 * Checks what is to become part of a rule.
 *
 * @throws AgentError `E_OPENING` naming what cannot be used.
 */
export function portOpening(wanted: {
  readonly port: number;
  readonly interface: string;
  readonly subnet: string;
}): Opening {
  const { port, interface: link, subnet } = wanted;
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) {
    throw unusable("port", String(port), `an integer from 0 to ${MAX_PORT}`);
  }
  if (link !== "" && !isInterfacePattern(link)) {
    const wants = "1 to 15 letters, digits, dots, hyphens and underscores, or the first ones and *";
    throw unusable("interface", link, wants);
  }
  return { kind: "port", port, interface: link, subnet: subnet === "" ? "" : network(subnet) };
}

/** @throws AgentError `E_OPENING` for a name no rule can hold. */
export function bridgeOpening(bridge: string): Opening {
  if (isRuleInterface(bridge)) return { kind: "bridge", bridge };
  throw unusable("bridge", bridge, "1 to 15 letters, digits, dots, hyphens and underscores");
}

/** The rule without the word that accepts. Everything in it went through the functions above. */
export function formatOpening(opening: Opening): string {
  if (opening.kind === "bridge") {
    return `iifname "${opening.bridge}" udp dport { 53, 67, 68 } accept`;
  }
  const { port, interface: link, subnet } = opening;
  // As nft itself shows a single address.
  const source = subnet.replace(subnet.includes(":") ? /\/128$/ : /\/32$/, "");
  const from = source === "" ? "" : `${source.includes(":") ? "ip6" : "ip"} saddr ${source} `;
  return `${link === "" ? "" : `iifname "${link}" `}${from}tcp dport ${port} accept`;
}

/**
 * The openings of this boot. They stand in a file of the state directory, so that an agent that starts
 * again, and a packet filter that is set later, find them.
 */
export class OpeningsFile {
  readonly #files: Files;
  readonly #path: string;

  constructor(files: Files, stateDir: string) {
    this.#files = files;
    this.#path = `${stateDir}/firewall-openings.json`;
  }

  /** Empty also for a file of an earlier boot, or one that cannot be used. */
  read(): Opening[] {
    const text = this.#files.readText(this.#path);
    if (text === undefined) return [];
    try {
      const { boot, openings } = JSON.parse(text) as { boot: unknown; openings: unknown };
      if (boot !== this.#boot() || !Array.isArray(openings)) return [];
      return openings.map(checkOpening);
    } catch {
      return []; // Written by this program alone: whatever else is in it is worth nothing.
    }
  }

  write(openings: readonly Opening[]): void {
    this.#files.replaceText(this.#path, `${JSON.stringify({ boot: this.#boot(), openings })}\n`);
  }

  #boot(): string {
    return this.#files.readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  }
}

const MAX_PORT = 65_535;

function checkOpening(given: unknown): Opening {
  const value = given as Opening;
  return value.kind === "bridge" ? bridgeOpening(value.bridge) : portOpening(value);
}

function isInterfacePattern(name: string): boolean {
  return isRuleInterface(name) || /^(?=.*[A-Za-z_-])[\w.-]{1,14}\*$/.test(name);
}

function network(text: string): string {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw unusable("subnet", text, "ADDRESS/PREFIX such as 10.0.0.0/8");
  return formatNetwork(cidr);
}

function unusable(what: string, seen: string, wanted: string): AgentError {
  const shown = JSON.stringify(seen.length > 60 ? `${seen.slice(0, 57)}...` : seen);
  return new AgentError("E_OPENING", `Cannot use ${what} ${shown}, expected ${wanted}`);
}
