import type { Files } from "../sys/files.ts";
import { Firewall } from "./firewall.ts";
import { formatOpening, type Opening, OpeningsFile } from "./firewall-openings.ts";
import { formatRule, singleTcpPorts } from "./firewall-text.ts";

/**
 * What commands do with the packet filter: they open and close beside its policy, and look at it. What is
 * opened is kept for this boot also where there is no packet filter yet.
 *
 * Methods throw AgentError `E_NFT_MISSING` | `E_NFT`; what was not done in the kernel is not kept either.
 */
export class FirewallControl {
  readonly #file: OpeningsFile;
  readonly #firewall: Firewall;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    files: Files,
    stateDir: string,
    openFirewall = (openings: () => readonly Opening[]): Firewall => new Firewall({ openings }),
  ) {
    this.#file = new OpeningsFile(files, stateDir);
    this.#firewall = openFirewall(() => this.#file.read());
  }

  open(opening: Opening): Promise<void> {
    const text = formatOpening(opening);
    return this.#change((all) => [...all.filter((one) => formatOpening(one) !== text), opening]);
  }

  /** Closes what is told; nothing to close is fine. */
  close(isClosed: (opening: Opening) => boolean): Promise<void> {
    return this.#change((all) => all.filter((one) => !isClosed(one)));
  }

  openings(): Opening[] {
    return this.#file.read();
  }

  /** Rules for incoming packets, one line each. @throws AgentError `E_RULE_TEXT` */
  async list(): Promise<string[]> {
    const rules = await this.#firewall.rules();
    return rules?.map(formatRule) ?? this.#file.read().map(formatOpening);
  }

  /** True when a rule names this port, whatever else it asks. */
  async hasTcpPort(port: number): Promise<boolean> {
    if (this.#file.read().some((one) => one.kind === "port" && one.port === port)) return true;
    const rules = (await this.#firewall.rules()) ?? [];
    return rules.some((rule) => singleTcpPorts(rule).includes(port));
  }

  /** One after the other: what one takes back must not be what another one made. */
  #change(change: (all: readonly Opening[]) => Opening[]): Promise<void> {
    const next = this.#last.then(() => this.#changeNow(change));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #changeNow(change: (all: readonly Opening[]) => Opening[]): Promise<void> {
    const before = this.#file.read();
    const after = change(before);
    if (after.map(formatOpening).join() === before.map(formatOpening).join()) return;
    // First the file: an agent that dies in between sets the kernel right with the next change.
    this.#file.write(after);
    try {
      await this.#firewall.applyOpenings();
    } catch (error) {
      this.#file.write(before);
      throw error;
    }
  }
}
