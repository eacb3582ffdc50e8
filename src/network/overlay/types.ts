/** What commands may ask of the overlay. Answers are those of the local API of the ZeroTier service. */
export interface OverlayControl {
  /** `GET /status`: address, publicIdentity, online, version … @throws AgentError `E_OVERLAY_API`. */
  info(): Promise<Readonly<Record<string, unknown>>>;
  /** `GET /network`. */
  list(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** @param network 16 lower-case hexadecimal digits. */
  join(network: string): Promise<void>;
  /** Leaving the network of the kernel command line is allowed and lasts until the agent restarts. */
  leave(network: string): Promise<void>;
}

/** What the overlay phase reached. */
export interface OverlayReached {
  /** 10 hexadecimal digits. */
  readonly nodeId: string;
  /** 16 hexadecimal digits. */
  readonly network: string;
  /** Kernel name of the overlay's link, for example `ztabcdefgh`. */
  readonly interface: string;
  /** `ADDRESS/PREFIX`; at least one. */
  readonly addresses: readonly string[];
}
