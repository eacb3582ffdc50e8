import type { Lease } from "./lease.ts";

/** More are ignored by the resolver of the C library. Source: resolv.conf(5), MAXNS. */
const MAX_SERVERS = 3;

/**
 * Text of /etc/resolv.conf: the servers of the interface with the default route first.
 *
 * @param leases In the order of preference.
 */
export function buildResolvConf(leases: readonly Lease[]): string {
  const servers = [...new Set(leases.flatMap((lease) => lease.dns))].slice(0, MAX_SERVERS);
  return servers.map((server) => `nameserver ${server}\n`).join("");
}
