/** One link of the agent's network namespace, as the kernel shows it at one moment. */
export interface LinkState {
  readonly name: string;
  readonly index: number;
  /** `device` for hardware and anything without a kind of its own; else `bridge`, `vlan`, `bond`, `veth`, `tun` … */
  readonly kind: string;
  /** Lower case with colons; empty where it has none. */
  readonly mac: string;
  readonly mtu: number;
  /** Administratively up. */
  readonly isUp: boolean;
  /** Always false while the link is down. */
  readonly hasCarrier: boolean;
  readonly isLoopback: boolean;
  /** Name of the bridge or bond it belongs to. */
  readonly master: string | null;
  /** Name of the link below a VLAN, macvlan …; null where there is none or it is in another namespace. */
  readonly parent: string | null;
  readonly vlanId: number | null;
  /** Kernel name of the mode of a bond, for example `active-backup`. */
  readonly bondMode: string | null;
}

export type Family = 4 | 6;

/** One address of a link. */
export interface AddressState {
  readonly interface: string;
  readonly family: Family;
  /** Canonical text: dotted, or IPv6 lower case and shortened. */
  readonly address: string;
  readonly prefix: number;
  readonly scope: "global" | "link" | "host" | "other";
  /** IPv6 duplicate detection has not ended. */
  readonly isTentative: boolean;
  /** IPv6 duplicate detection found another owner. */
  readonly isDuplicate: boolean;
  /** Seconds it is still valid; null: for ever. */
  readonly validSeconds: number | null;
  /** Who set it: {@link NODE0_PROTOCOL} for the agent, 0 where nobody said. Source: IFA_PROTO. */
  readonly protocol: number;
}

/** One unicast route of the main table. */
export interface RouteState {
  readonly family: Family;
  /** `ADDRESS/PREFIX`; `0.0.0.0/0` or `::/0` for a default route. */
  readonly destination: string;
  readonly gateway: string | null;
  readonly interface: string;
  readonly metric: number;
  /** Who set it: {@link NODE0_PROTOCOL} for the agent. Source: rtnetlink(7), rtm_protocol. */
  readonly protocol: number;
}

export interface NetworkState {
  /** By index. */
  readonly links: readonly LinkState[];
  readonly addresses: readonly AddressState[];
  readonly routes: readonly RouteState[];
}

/**
 * Mark on addresses and routes the agent sets, so that it takes away its own ones only. Routes of the
 * DHCP hook carry it too. Numbers from 192 on are free for local use.
 */
export const NODE0_PROTOCOL = 210;

export type BondMode =
  | "balance-rr"
  | "active-backup"
  | "balance-xor"
  | "broadcast"
  | "802.3ad"
  | "balance-tlb"
  | "balance-alb";

/** What kind of link is made, and what only that kind has. */
export type NewLink =
  | { readonly kind: "bridge"; readonly stp?: boolean }
  | { readonly kind: "vlan"; readonly parent: string; readonly vlanId: number }
  | { readonly kind: "bond"; readonly mode: BondMode; readonly miimonMs?: number };

/** One request to the kernel. Each is tried once; a refused one throws and names itself. */
export type NetworkChange =
  | {
      readonly op: "link.add";
      readonly name: string;
      readonly link: NewLink;
      readonly mac?: string;
    }
  | { readonly op: "link.delete"; readonly name: string }
  | {
      readonly op: "link.set";
      readonly name: string;
      readonly isUp?: boolean;
      readonly mtu?: number;
      /** Null takes it out of its bridge or bond. */
      readonly master?: string | null;
      readonly newName?: string;
    }
  | {
      readonly op: "address.add" | "address.remove";
      readonly interface: string;
      readonly address: string;
      readonly prefix: number;
      /** Only for `add`: seconds the address lives; left out: for ever. */
      readonly validSeconds?: number;
      /** Only for `add`; default 0. */
      readonly protocol?: number;
    }
  | {
      /** `replace` also takes the place of a route with the same destination and metric. */
      readonly op: "route.add" | "route.replace" | "route.remove";
      readonly destination: string;
      readonly gateway: string | null;
      readonly interface: string;
      /** Default: what the kernel takes, 0 for IPv4. */
      readonly metric?: number;
      /** Default 4, "static". */
      readonly protocol?: number;
      /** The gateway is reached although no address of the link says so. */
      readonly isOnLink?: boolean;
    };

/** The network of the kernel: looked at and changed in one namespace, that of the agent. */
export interface KernelNetwork {
  observe(): NetworkState;
  /**
   * Makes one change.
   *
   * @throws AgentError `E_NETLINK` with the kernel's own text in the message; its `cause` or a field
   *   `errno` tells the name, for example `EEXIST`; `E_NO_LINK` when a link that is named is not there.
   */
  apply(change: NetworkChange): void;
}

/** What changed; enough to know where to look again. `interface` is empty when it could not be told. */
export interface NetworkEvent {
  readonly kind: "link" | "address" | "route";
  readonly interface: string;
}

/** The kernel's own notices of changes. */
export interface NetworkEvents {
  /**
   * Calls back with all events of a short time together: 2 ms after the first one, and 50 ms after the
   * last call at the earliest, so that a link that flaps a hundred times a second wakes the agent
   * twenty times. The returned function ends it.
   */
  subscribe(listener: (events: readonly NetworkEvent[]) => void): () => void;
}
