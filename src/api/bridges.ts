import { errorText } from "../base/errors.ts";
import { type BridgeRecord, BridgeRecords } from "../network/bridge-records.ts";
import {
  type BridgeSettings,
  clientAddress,
  parseBridge,
  requireFree,
  type WantedBridge,
} from "../network/bridge-settings.ts";
import type { FirewallControl } from "../network/firewall-control.ts";
import type { NatTable } from "../network/firewall-nat.ts";
import { bridgeOpening } from "../network/firewall-openings.ts";
import type { Files } from "../sys/files.ts";
import type { KernelNetwork } from "../sys/network-state.ts";
import { readRandom } from "../sys/random.ts";
import type { BridgeServices } from "./bridge-service.ts";

/** Bridges the old system made at its start; containers and machines will ask for them. */
export const DEFAULT_BRIDGES = {
  core0: { mode: "static", nat: true, settings: { cidr: "172.18.0.1/16" } },
  kvm0: {
    mode: "dnsmasq",
    nat: true,
    settings: { cidr: "172.19.0.1/16", start: "172.19.0.2", end: "172.19.255.254" },
  },
} as const;

const FORWARDING = "/proc/sys/net/ipv4/ip_forward";

interface BridgesOptions {
  readonly network: KernelNetwork;
  readonly files: Files;
  readonly stateDir: string;
  readonly firewall: FirewallControl;
  readonly nat: NatTable;
  readonly services: BridgeServices;
}

/**
 * Bridges with what belongs to them: address, name server, openings of the packet filter and address translation. One
 * is changed at a time.
 */
export class Bridges {
  readonly #options: BridgesOptions;
  readonly #records: BridgeRecords;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: BridgesOptions) {
    this.#options = options;
    this.#records = new BridgeRecords(options.files, options.stateDir);
  }

  /** All of it or nothing. */
  create(wanted: WantedBridge): Promise<void> {
    return this.#inTurn(async () => {
      const settings = parseBridge(wanted);
      const { name, cidr } = settings;
      const state = this.#options.network.observe();
      if (state.links.some((link) => link.name === name)) {
        throw new Error(`Cannot create bridge ${name}: there is a link of that name`);
      }
      if (cidr !== "") requireFree(cidr, state.addresses);
      // Somebody else may have deleted one of this name.
      if (this.#records.find(name) !== undefined) await this.#forget(name);
      await this.#build(settings);
    });
  }

  /** Takes with it what belongs to the bridge. */
  delete(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const { network } = this.#options;
      const link = network.observe().links.find((one) => one.name === name);
      const isOurs = this.#records.find(name) !== undefined;
      if (link === undefined && !isOurs) throw new Error(`Cannot delete bridge ${name}: no link`);
      if (link !== undefined && link.kind !== "bridge") {
        throw new Error(`Cannot delete ${name}: kind ${link.kind} seen, expected bridge`);
      }
      await this.#forget(name);
      if (link !== undefined) network.apply({ op: "link.delete", name });
    });
  }

  /** Keeps an address for a client. @param mac Lower case with colons. */
  addHost(bridge: string, host: { readonly ip: string; readonly mac: string }): Promise<void> {
    return this.#inTurn(async () => {
      const { services } = this.#options;
      const record = this.#records.find(bridge);
      if (record === undefined || !services.isRunning(bridge)) {
        throw new Error(`Cannot add a host to ${bridge}: no name server runs for it`);
      }
      if (record.mode !== "dnsmasq") {
        const seen = `mode ${JSON.stringify(record.mode)} seen`;
        throw new Error(`Cannot add a host to ${bridge}: ${seen}, expected "dnsmasq"`);
      }
      const ip = clientAddress(record, host.ip);
      const others = record.hosts.filter(({ mac }) => mac !== host.mac);
      const owner = others.find((other) => other.ip === ip);
      if (owner !== undefined) {
        throw new Error(`Cannot add a host to ${bridge}: ${ip} is kept for ${owner.mac}`);
      }
      const changed: BridgeRecord = { ...record, hosts: [...others, { mac: host.mac, ip }] };
      try {
        await services.start(changed, { wait: true });
      } catch (error) {
        await services.start(record, { wait: false });
        throw error;
      }
      this.#records.put(changed);
    });
  }

  /** After a restart of the agent: the kernel says which bridges there are. */
  restore(): Promise<void> {
    return this.#inTurn(async () => {
      const { links } = this.#options.network.observe();
      for (const record of this.#records.read()) {
        const isThere = links.some(({ name, kind }) => name === record.name && kind === "bridge");
        if (!isThere) await this.#forget(record.name);
        else if (record.mode !== "") await this.#options.services.start(record, { wait: false });
      }
      if (this.#records.read().some(({ nat }) => nat)) await this.#applyNat();
    });
  }

  /** Makes `core0` or `kvm0` where it is missing. */
  async ensureDefault(name: keyof typeof DEFAULT_BRIDGES): Promise<void> {
    const { links } = this.#options.network.observe();
    if (links.some((link) => link.name === name)) return;
    await this.create({ name, mac: "", ...DEFAULT_BRIDGES[name] });
  }

  async #build(settings: BridgeSettings): Promise<void> {
    const { network, firewall, services } = this.#options;
    const { name, cidr, nat, mode } = settings;
    const mac = settings.mac === "" ? randomMac() : settings.mac;
    network.apply({ op: "link.add", name, link: { kind: "bridge" }, mac });
    try {
      network.apply({ op: "link.set", name, isUp: true });
      if (cidr !== "") {
        const [address = "", prefix] = cidr.split("/");
        network.apply({ op: "address.add", interface: name, address, prefix: Number(prefix) });
      }
      const record = { ...settings, mac, hosts: [] };
      this.#records.put(record);
      await firewall.open(bridgeOpening(name));
      if (nat) {
        this.#switchForwardingOn();
        await this.#applyNat();
      }
      if (mode !== "") await services.start(record, { wait: true });
    } catch (error) {
      await this.#forget(name).catch(() => undefined); // The first error is the one that counts.
      network.apply({ op: "link.delete", name });
      throw error;
    }
  }

  /** Takes everything but the link away, all that can be. @throws the first failure. */
  async #forget(name: string): Promise<void> {
    const { firewall, services } = this.#options;
    const hadNat = this.#records.find(name)?.nat === true;
    this.#records.remove(name);
    const outcomes = await Promise.allSettled([
      services.remove(name),
      firewall.close((one) => one.kind === "bridge" && one.bridge === name),
      ...(hadNat ? [this.#applyNat()] : []),
    ]);
    const failed = outcomes.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") {
      throw new Error(`Cannot take away what belongs to ${name}: ${errorText(failed.reason)}`);
    }
  }

  async #applyNat(): Promise<void> {
    const { network, nat } = this.#options;
    const masquerades = this.#records
      .read()
      .flatMap((one) => (one.nat ? [{ bridge: one.name, network: one.cidr }] : []));
    const addresses = network.observe().addresses.flatMap(({ family, address, scope }) => {
      return family === 4 && scope !== "host" ? [address] : [];
    });
    await nat.apply(masquerades, [...new Set(addresses)]);
  }

  #switchForwardingOn(): void {
    const { files } = this.#options;
    if (files.readText(FORWARDING)?.trim() !== "1") files.writeText(FORWARDING, "1");
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** Of this place only, for one station. */
function randomMac(): string {
  const bytes = Buffer.from(readRandom(6));
  bytes.writeUInt8((bytes.readUInt8(0) & 0xfc) | 0x02, 0);
  return (bytes.toString("hex").match(/../g) ?? []).join(":");
}
