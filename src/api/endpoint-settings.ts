import { join } from "node:path";
import type { EndpointConfig } from "../config/node-config-endpoint.ts";
import { PRIVATE_FILES, VAULT } from "../vault/controller-api.ts";
import { type EndpointLimits, endpointLimits } from "./endpoint-limits.ts";
import type { TlsOptions } from "./tls-entry.ts";
import type { UsersOptions } from "./users-source.ts";

/** What the configuration says about the endpoint, as the endpoint takes it. */
export interface EndpointSettings {
  readonly limits: Partial<EndpointLimits>;
  readonly tls: TlsOptions | null;
  readonly users: UsersOptions | null;
}

/** @param isHost A host has no private configuration. */
export function endpointSettings(
  config: EndpointConfig,
  { stateDir, isHost }: { readonly stateDir: string; readonly isHost: boolean },
): EndpointSettings {
  const { tls, tls_certificate: certificate, tls_key: key } = config;
  const privateUsers = { file: join(VAULT.mountpoint, PRIVATE_FILES.users), isNeeded: false };
  const isGiven = certificate !== "" || key !== "";
  const privateFiles = {
    certificate: join(VAULT.mountpoint, PRIVATE_FILES.endpointCertificate),
    key: join(VAULT.mountpoint, PRIVATE_FILES.endpointKey),
  };
  return {
    limits: endpointLimits(config),
    users: config.users === "" ? (isHost ? null : privateUsers) : givenUsers(config.users),
    tls:
      tls === "off"
        ? null
        : {
            mode: tls,
            configured: isGiven ? { certificate, key } : null,
            privateFiles: isHost ? null : privateFiles,
            stateDir,
          },
  };
}

const givenUsers = (file: string): UsersOptions => ({ file, isNeeded: true });
