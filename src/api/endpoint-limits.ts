import type { EndpointConfig } from "../config/node-config-endpoint.ts";
import { GUEST_LIMITS, MEMBER_LIMITS, type RequestLimits } from "../resp/request-limits.ts";

/** What the endpoint lets its clients have. */
export interface EndpointLimits {
  readonly guestRequests: RequestLimits;
  readonly memberRequests: RequestLimits;
  /** Connections over the network; the unix socket has {@link LOCAL_RESERVE} more of its own. */
  readonly maxClients: number;
  /**
   * Bytes all connections together may have sent before they authenticated and that are not requests
   * yet; who sends more is closed.
   */
  readonly maxGuestBytes: number;
  /** A connection that has not authenticated by then is closed. */
  readonly guestTimeoutMs: number;
  /** A member that asks nothing, waits for nothing and listens to nothing for so long is closed; 0 never. */
  readonly idleTimeoutMs: number;
  /** Wrong passwords of one network after which it is locked out; 0 never. */
  readonly lockoutFailures: number;
  readonly lockoutMs: number;
  /** Unprocessed bytes of a client whose earlier command still waits; beyond it, reading stops. */
  readonly maxWaitingBytes: number;
  /** Unsent replies beyond which no more commands of the connection are run. */
  readonly pauseOutputBytes: number;
  /** Unsent replies beyond which the connection is closed. */
  readonly maxOutputBytes: number;
  /** A paused connection that takes nothing for so long is closed. */
  readonly stallTimeoutMs: number;
}

/** Connections over the unix socket that are possible while the network ones are used up. */
export const LOCAL_RESERVE = 32;

const MIB = 1024 * 1024;

export const DEFAULT_ENDPOINT_LIMITS: EndpointLimits = {
  guestRequests: GUEST_LIMITS,
  memberRequests: MEMBER_LIMITS,
  maxClients: 16_384,
  maxGuestBytes: 32 * MIB,
  guestTimeoutMs: 60_000,
  idleTimeoutMs: 0,
  lockoutFailures: 20,
  lockoutMs: 60_000,
  maxWaitingBytes: 1 * MIB,
  pauseOutputBytes: 1 * MIB,
  maxOutputBytes: 256 * MIB,
  stallTimeoutMs: 60_000,
};

/** The limits a configuration asks for. */
export function endpointLimits(config: EndpointConfig): Partial<EndpointLimits> {
  return {
    maxClients: config.max_clients,
    guestTimeoutMs: config.login_timeout * MS_PER_SECOND,
    idleTimeoutMs: config.idle_timeout * MS_PER_SECOND,
    lockoutFailures: config.lockout_failures,
    lockoutMs: config.lockout_time * MS_PER_SECOND,
    pauseOutputBytes: config.output_pause,
    maxOutputBytes: Math.max(config.output_limit, config.output_pause),
    stallTimeoutMs: config.stall_timeout * MS_PER_SECOND,
  };
}

const MS_PER_SECOND = 1000;
