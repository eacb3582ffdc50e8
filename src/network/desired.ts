import type { NewLink } from "../sys/network-state.ts";

/** What the network shall be. A plan compares it with what the kernel shows, kind by kind. */
export interface DesiredNetwork {
  readonly links: readonly DesiredLink[];
  readonly addresses: readonly DesiredAddress[];
  readonly routes: readonly DesiredRoute[];
  readonly dns: DesiredDns;
}

export interface DesiredLink {
  readonly name: string;
  /** Null: it exists by itself, and is neither made nor deleted. */
  readonly create: NewLink | null;
  readonly isUp: boolean;
  /** Null: left as it is. */
  readonly mtu: number | null;
  /** Undefined: left as it is; null: out of any bridge or bond. */
  readonly master: string | null | undefined;
  /** Undefined: left as it is; else whether router advertisements are accepted. */
  readonly acceptsAdvertisements: boolean | undefined;
}

export interface DesiredAddress {
  readonly interface: string;
  readonly address: string;
  readonly prefix: number;
  /** `dhcp`: the hook sets it with the lifetime of the lease, a plan only adds it when it is missing. */
  readonly origin: "static" | "dhcp" | "fallback";
  /** Seconds; null: for ever. */
  readonly validSeconds: number | null;
}

export interface DesiredRoute {
  /** `ADDRESS/PREFIX`. */
  readonly destination: string;
  readonly gateway: string | null;
  readonly interface: string;
  readonly metric: number;
  readonly isOnLink: boolean;
}

export interface DesiredDns {
  /** In order of preference. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
}
