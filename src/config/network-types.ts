import type { BondMode } from "../sys/network-state.ts";
import type { ProbeAddress } from "./kernel-words.ts";

/** `net.toml`, checked and complete. Docs: docs/network.md. */
export interface NetworkConfig {
  /** `[network] auto`: DHCP on every interface that no section names. Default false. */
  readonly auto: boolean;
  /** Seconds a DHCP server may take to answer, for each interface. */
  readonly dhcpLimitSeconds: number;
  /** Name servers and search domains for the whole machine, before those of DHCP. */
  readonly dns: { readonly servers: readonly string[]; readonly search: readonly string[] };
  readonly interfaces: readonly InterfaceConfig[];
  readonly controllers: readonly ControllerConfig[];
  /** Stand-alone reachability, in addition to `node0.probe=`. */
  readonly probes: readonly ProbeAddress[];
}

/** One `[interface.<name>]` with its `[static.<name>]`. */
export interface InterfaceConfig {
  /** Name of the section: an interface, or any label where `mac` is given. */
  readonly name: string;
  /** Lower case with colons: the section means the interface with this address, whatever its name. */
  readonly mac: string | null;
  readonly protocol: "none" | "dhcp" | "static";
  readonly addresses: readonly { readonly address: string; readonly prefix: number }[];
  /** At most one of each family. */
  readonly gateways: readonly string[];
  readonly routes: readonly RouteConfig[];
  readonly dns: { readonly servers: readonly string[]; readonly search: readonly string[] };
  readonly mtu: number | null;
  /** `slaac`: addresses and routes of router advertisements; `none`: they are not accepted. */
  readonly ipv6: "slaac" | "none";
  /** Null: a link that exists by itself. */
  readonly virtual: VirtualLinkConfig | null;
}

export interface RouteConfig {
  /** `ADDRESS/PREFIX`. */
  readonly destination: string;
  readonly gateway: string | null;
  readonly metric: number | null;
}

/** A link the agent makes. `link` and `members` are names of sections or interfaces. */
export type VirtualLinkConfig =
  | { readonly kind: "vlan"; readonly link: string; readonly id: number }
  | {
      readonly kind: "bond";
      readonly mode: BondMode;
      readonly members: readonly string[];
      readonly miimonMs: number;
    }
  | { readonly kind: "bridge"; readonly members: readonly string[]; readonly stp: boolean };

export interface ControllerConfig {
  /** `https://HOST[:PORT]`; port 443 when left out. */
  readonly url: string;
  /** Absolute path of the PEM file with the authority that signs the controller's certificate. */
  readonly ca: string;
}

export interface LoadedNetworkConfig {
  readonly file: string;
  readonly isPresent: boolean;
  /**
   * What is used. A file that cannot be parsed, or that has any mistake inside an interface, gives no
   * interfaces at all (half a network is worse than DHCP); controllers and probes without mistake stay.
   */
  readonly config: NetworkConfig;
  /** One sentence each: file, line, key, value seen, values allowed. */
  readonly problems: readonly string[];
}

export const DEFAULT_NETWORK_CONFIG: NetworkConfig = {
  auto: false,
  dhcpLimitSeconds: 15,
  dns: { servers: [], search: [] },
  interfaces: [],
  controllers: [],
  probes: [],
};

/** Where 0-core had it too. */
export const NETWORK_CONFIG_FILE = "/etc/g8os/net.toml";
