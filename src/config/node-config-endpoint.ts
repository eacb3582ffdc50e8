import { type ConfigKey, isPath, key, whole } from "./node-config-key.ts";

const TLS_MODES = ["off", "on", "required"] as const;

/** How the Redis endpoint treats its clients: section `endpoint`. Times in seconds, sizes in bytes. */
export interface EndpointConfig {
  /** on: TLS and plain on one port. required: plain connections from the network are refused. */
  readonly tls: (typeof TLS_MODES)[number];
  /** PEM files; empty: those of the private configuration, else a certificate of the agent's own. */
  readonly tls_certificate: string;
  readonly tls_key: string;
  /** Named users with roles; empty: the one of the private configuration, if it is there. */
  readonly users: string;
  readonly max_clients: number;
  /** Without a complete request for so long, a connection is closed; 0 never. */
  readonly idle_timeout: number;
  readonly login_timeout: number;
  /** Failed passwords of one network before it is locked out; 0 never. */
  readonly lockout_failures: number;
  readonly lockout_time: number;
  /** Unsent replies: from the first size on no more commands are run, beyond the second it is closed. */
  readonly output_pause: number;
  readonly output_limit: number;
  /** A connection that takes nothing of unsent replies for so long is closed. */
  readonly stall_timeout: number;
}

export const DEFAULT_ENDPOINT_CONFIG: EndpointConfig = {
  tls: "on",
  tls_certificate: "",
  tls_key: "",
  users: "",
  max_clients: 16_384,
  idle_timeout: 0,
  login_timeout: 60,
  lockout_failures: 20,
  lockout_time: 60,
  output_pause: 1_048_576,
  output_limit: 268_435_456,
  stall_timeout: 60,
};

const DAY_S = 86_400;
const GIB = 1_073_741_824;

export const ENDPOINT_KEYS: readonly ConfigKey[] = [
  key("endpoint.tls", `one of ${TLS_MODES.join(", ")}`, (value) =>
    (TLS_MODES as readonly unknown[]).includes(value),
  ),
  file("endpoint.tls_certificate"),
  file("endpoint.tls_key"),
  file("endpoint.users"),
  whole("endpoint.max_clients", 1, 1_000_000),
  whole("endpoint.idle_timeout", 0, DAY_S),
  whole("endpoint.login_timeout", 1, DAY_S),
  whole("endpoint.lockout_failures", 0, 1_000_000),
  whole("endpoint.lockout_time", 1, DAY_S),
  whole("endpoint.output_pause", 4096, GIB),
  whole("endpoint.output_limit", 65_536, 4 * GIB),
  whole("endpoint.stall_timeout", 1, DAY_S),
];

function file(path: string): ConfigKey {
  return key(path, "an absolute path or an empty string", (value) => value === "" || isPath(value));
}
