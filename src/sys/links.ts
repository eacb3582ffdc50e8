/** A network interface as the kernel shows it at one moment. */
export interface Link {
  readonly name: string;
  readonly index: number;
  /** Lower case with colons; empty where it has none. */
  readonly mac: string;
  /** Ethernet-like with a device behind it: neither bridge, veth, tunnel nor loopback. */
  readonly isPhysical: boolean;
  /** Administratively up. */
  readonly isUp: boolean;
  /** Always false while the link is down: the kernel does not say. */
  readonly hasCarrier: boolean;
}

/** A default route of IPv4. */
export interface DefaultRoute {
  readonly interface: string;
  /** Dotted; `0.0.0.0` for a route without gateway. */
  readonly gateway: string;
  readonly metric: number;
}

export interface Links {
  /** Every interface but loopback, in index order. */
  list(): Link[];
  /** @throws the system error, for example when the interface is gone. */
  setUp(name: string): void;
  /** Best metric first. */
  defaultRoutes(): DefaultRoute[];
}
