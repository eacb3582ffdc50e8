import type { Lease } from "./lease.ts";

/** How the network came up, design of the four methods: docs/network.md. */
export type NetworkMethod = "config" | "dhcp" | "fallback";

/** What `net.status` shows. Times are milliseconds of the monotonic clock. */
export interface NetworkStatus {
  readonly state: "up" | "searching";
  /** Method in use, or being tried. Null before the first one. */
  readonly method: NetworkMethod | null;
  /** Times the methods were gone through, from 1; 0 before that. */
  readonly round: number;
  /** One line in plain words: what is reached, or what is missing. */
  readonly reason: string;
  readonly sinceMs: number;
  readonly config: {
    readonly file: string;
    readonly isPresent: boolean;
    readonly problems: readonly string[];
  };
  readonly controllers: readonly ControllerStatus[];
  readonly interfaces: readonly InterfaceStatus[];
  readonly dns: { readonly servers: readonly string[]; readonly search: readonly string[] };
}

export interface ControllerStatus {
  readonly url: string;
  readonly isReached: boolean;
  /** How the last try ended; empty before the first. */
  readonly reason: string;
}

export interface InterfaceStatus {
  readonly name: string;
  readonly mac: string;
  readonly kind: string;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  readonly mtu: number;
  readonly master: string | null;
  /** `ADDRESS/PREFIX`, IPv4 first. */
  readonly addresses: readonly string[];
  /** From net.toml; `auto` for an interface it does not name. */
  readonly protocol: "none" | "dhcp" | "static" | "auto" | "left alone";
  readonly lease: Lease | null;
  /** The last try of each method on this interface, in the order of the methods. */
  readonly tried: readonly TriedMethod[];
}

export interface TriedMethod {
  readonly method: NetworkMethod;
  readonly isReached: boolean;
  /** For example "no DHCP answer after 15 s" or "controller https://a: certificate not signed by its CA". */
  readonly reason: string;
  readonly endMs: number;
}

/** What commands may ask of the network. */
export interface NetworkControl {
  status(): NetworkStatus;
  /** Called after every change of the status. The returned function ends it. */
  onStatus(listener: () => void): () => void;
  /**
   * Reads net.toml again and goes through the methods from the first on, in the background.
   *
   * @returns Problems of the file; a file with mistakes is refused as a whole and changes nothing.
   */
  reload(): Promise<{ readonly isAccepted: boolean; readonly problems: readonly string[] }>;
}
