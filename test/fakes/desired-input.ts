import { parseNetworkConfig } from "../../src/config/network-config-parse.ts";
import type { NetworkConfig } from "../../src/config/network-types.ts";
import { buildDesiredNetwork, type DesiredNetworkInput } from "../../src/network/build-desired.ts";
import type { DesiredNetwork } from "../../src/network/desired.ts";
import type { Lease } from "../../src/network/lease.ts";
import type { LinkState } from "../../src/sys/network-state.ts";

/** The configuration of a net.toml without mistake. */
export function config(toml: string): NetworkConfig {
  const loaded = parseNetworkConfig(toml, "net.toml");
  if (loaded.problems.length > 0) throw new Error(loaded.problems.join("; "));
  return loaded.config;
}

export function card(name: string, index: number, over: Partial<LinkState> = {}): LinkState {
  return {
    name,
    index,
    kind: "device",
    mac: `52:54:00:00:00:0${index}`,
    mtu: 1500,
    isUp: true,
    hasCarrier: true,
    isLoopback: false,
    master: null,
    parent: null,
    vlanId: null,
    bondMode: null,
    ...over,
  };
}

export function lease(over: Partial<Lease> = {}): Lease {
  return {
    interface: "eth0",
    address: "10.0.2.15",
    prefix: 24,
    gateway: "10.0.2.2",
    routes: [],
    dns: [],
    search: [],
    ntp: [],
    hostname: null,
    mtu: null,
    leaseSeconds: 3600,
    server: "10.0.2.2",
    ...over,
  };
}

/** Hardware is a candidate; nothing else happens unless said. */
export function desiredOf(
  toml: string,
  links: readonly LinkState[],
  over: Partial<DesiredNetworkInput> = {},
): DesiredNetwork {
  return buildDesiredNetwork({
    config: config(toml),
    links,
    noAutoNic: [],
    isCandidate: ({ kind }) => kind === "device",
    leases: new Map(),
    fallback: null,
    ...over,
  });
}
