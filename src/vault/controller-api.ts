/**
 * What a node and its controller say to each other, as JSON over HTTPS. The controller serves it as
 * `etc/controller/openapi.json` describes it; texts are at most 256 characters unless said otherwise.
 */

/** Body of `POST /v1/unlock`. The node is nobody yet: no client certificate. */
export interface UnlockRequest {
  /** Hardware addresses of all physical interfaces, lower case with colons; 1 to 64, each once. */
  readonly macs: readonly string[];
  /** From DMI; empty where unknown. */
  readonly serial: string;
  readonly vendor: string;
  readonly product: string;
  /** Node id of the overlay, 10 hexadecimal digits; empty without an overlay. */
  readonly overlayId: string;
  /** Release and revision of the agent. */
  readonly version: string;
}

/** Answer to `POST /v1/unlock`; the HTTP status is that of the state: 200, 202, 403, 403, 409. */
export type UnlockAnswer =
  | {
      readonly state: "approved";
      readonly node: string;
      /** 32 random bytes in base64: the passphrase of gocryptfs, as text. Never logged. */
      readonly key: string;
      /** Counts up with every upload of a private configuration; 0 where there is none. */
      readonly revision: number;
      /** Of the ciphertext archive, hexadecimal; empty for revision 0. */
      readonly sha256: string;
      /** Milliseconds since the epoch, for a node with a wrong clock. */
      readonly nowMs: number;
    }
  /** Known now, and an operator has to decide. */
  | {
      readonly state: "pending";
      readonly node: string;
      readonly reason: string;
      readonly nowMs: number;
    }
  | {
      readonly state: "rejected" | "revoked";
      readonly node: string;
      readonly reason: string;
      readonly nowMs: number;
    }
  /** Approved, but its private configuration has not been uploaded, or the policy wants another way. */
  | {
      readonly state: "withheld";
      readonly node: string;
      readonly reason: string;
      readonly nowMs: number;
    };

/** Answer to `GET /v1/session`, asked with the client certificate of the private configuration. */
export interface SessionAnswer {
  readonly node: string;
  readonly nowMs: number;
}

/** Body of `POST /v1/heartbeat`, with the client certificate; at most 64 KiB. */
export interface HeartbeatRequest {
  readonly version: string;
  readonly hostname: string;
  readonly uptimeS: number;
  /** `ADDRESS/PREFIX` with the interface before it: `eth0 10.0.2.15/24`. */
  readonly addresses: readonly string[];
  /** The boot timeline of `boot.status`. */
  readonly phases: readonly {
    readonly phase: string;
    readonly state: string;
    readonly startMs: number | null;
    readonly endMs: number | null;
    readonly attempts: number;
    readonly reason: string;
  }[];
}

/** Answer to `POST /v1/heartbeat`. */
export interface HeartbeatAnswer {
  /** Milliseconds until the next one; the node adds its own jitter. */
  readonly nextMs: number;
  readonly nowMs: number;
}

/** Body of every answer that is an error: 400, 401, 403, 404, 409, 413, 429, 500, 503. */
export interface ApiError {
  /** Stable, upper case, for example `E_NODE_UNKNOWN`. */
  readonly code: string;
  readonly message: string;
  /** With 429 and 503: seconds after which another try is welcome. */
  readonly retryAfterS?: number;
}

/**
 * `GET /v1/private/<mac>`: the ciphertext directory of gocryptfs as an uncompressed tar archive
 * (ustar; regular files and directories, relative names, no links), 404 without one. Its header
 * `x-node0-revision` is the revision. It is useless without the key, so anybody may have it.
 */
export const PRIVATE_PATH = "/v1/private/";

/** Where a node keeps and finds things of its private configuration. */
export const VAULT = {
  /** Ciphertext baked into the image, if there. */
  baked: "/etc/g8os/private",
  /** Ciphertext that was fetched. */
  fetched: "/run/node0/private",
  /** Where it is mounted in plain. */
  mountpoint: "/mnt/etc",
} as const;

/** Files of the private configuration, relative to the mount point. All may be missing but the first two. */
export const PRIVATE_FILES = {
  /** PEM, signed by the controller's CA; its common name is the node. */
  clientCertificate: "tls/client.crt",
  clientKey: "tls/client.key",
  /** PEM: the CA of the controller. */
  ca: "tls/ca.crt",
  /** First line is the password of the endpoint. */
  redisPassword: "redis/password",
  /** PEM: what the endpoint shows clients that speak TLS. */
  endpointCertificate: "redis/tls.crt",
  endpointKey: "redis/tls.key",
  /** Users of the endpoint beside the one with the password above. */
  users: "users.toml",
  sshDirectory: "ssh",
  sshHostKey: "ssh/ssh_host_ed25519_key",
  authorizedKeys: "ssh/authorized_keys",
  netToml: "net.toml",
  zerotierDirectory: "zerotier",
  /** Start-up services and extensions. */
  startupDirectory: "conf.d",
} as const;
