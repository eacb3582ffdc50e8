/** One object of the local API of the ZeroTier service, as it came. */
export type ZeroTierObject = Readonly<Record<string, unknown>>;

/** What commands may ask of the overlay. Answers are those of the local API of the ZeroTier service. */
export interface OverlayControl {
  /** `GET /status`: address, publicIdentity, online, version … @throws AgentError `E_OVERLAY_API`. */
  info(): Promise<ZeroTierObject>;
  /** `GET /network`. */
  list(): Promise<readonly ZeroTierObject[]>;
  /** @param network 16 lower-case hexadecimal digits. */
  join(network: string): Promise<void>;
  /**
   * Leaving the network of the kernel command line is allowed and lasts until the agent restarts.
   *
   * @throws AgentError `E_OVERLAY_NETWORK` for a network that is not joined.
   */
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

/**
 * The local API of the ZeroTier service. Every call has a time limit and throws AgentError
 * `E_OVERLAY_API`, whose field `kind` tells {@link ApiTrouble}.
 * Source: ZeroTier One, "Network Virtualization Service API".
 */
export interface ZeroTierService {
  status(): Promise<ZeroTierObject>;
  networks(): Promise<readonly ZeroTierObject[]>;
  /** Undefined for a network that is not joined. */
  network(id: string): Promise<ZeroTierObject | undefined>;
  join(id: string): Promise<void>;
  /** False for a network that is not joined. */
  leave(id: string): Promise<boolean>;
  /** Adds a moon. @param id 10 to 16 hexadecimal digits. @param seed 10 digits of one of its roots. */
  orbit(id: string, seed: string): Promise<void>;
  /** False for an unknown moon. */
  deorbit(id: string): Promise<boolean>;
}

/**
 * `starting`: no token or no listener yet; `silent`: no answer in time; `token`: the token was refused;
 * `answer`: an answer that is not what the API gives.
 */
export type ApiTrouble = "starting" | "silent" | "token" | "answer";
