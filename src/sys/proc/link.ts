/** One network link, in the shape of `info.nic`. */
export interface Link {
  readonly mtu: number;
  readonly name: string;
  /** Empty if there is none or it is all zero. */
  readonly hardwareaddr: string;
  /** `up broadcast loopback pointtopoint multicast`; null when none is set. */
  readonly flags: readonly string[] | null;
  readonly addrs: readonly { readonly addr: string }[];
  /** Mbit/s; 0 or -1 if unknown. */
  readonly speed: number;
  readonly carrier: boolean;
  /** True only when the kernel says "up". */
  readonly operstate: boolean;
}

/** A hardware address as it is shown: none and all zeros (loopback, tunnels) are empty. */
export function shownAddress(address: string): string {
  return /[1-9a-f]/.test(address) ? address : "";
}
