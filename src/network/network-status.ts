import type { LoadedNetworkConfig } from "../config/network-types.ts";
import type { InterfaceRoles } from "./interface-roles.ts";
import type { InterfaceView, NetworkView } from "./network-view.ts";
import type { ReachResult } from "./reach.ts";
import type { SearchReport } from "./search-report.ts";
import type { ControllerStatus, InterfaceStatus, NetworkStatus } from "./status.ts";

/** What changes as a whole while the search goes on. */
export type SearchProgress = Pick<
  NetworkStatus,
  "state" | "method" | "round" | "reason" | "sinceMs"
>;

export interface NetworkStatusParts {
  readonly progress: SearchProgress;
  readonly loaded: LoadedNetworkConfig;
  readonly view: NetworkView;
  readonly roles: InterfaceRoles;
  readonly report: SearchReport;
  /** How the last try of each target ended. */
  readonly reached: ReadonlyMap<string, ReachResult>;
  readonly dns: NetworkStatus["dns"];
  /** MTU of an interface while netlink is not loaded. */
  readonly mtuOf: (name: string) => number;
}

/** Puts together what `net.status` shows. */
export function buildNetworkStatus(parts: NetworkStatusParts): NetworkStatus {
  const { progress, loaded, roles, report, reached, dns, mtuOf } = parts;
  return {
    ...progress,
    config: { file: loaded.file, isPresent: loaded.isPresent, problems: loaded.problems },
    controllers: loaded.config.controllers.map(({ url }): ControllerStatus => {
      const result = reached.get(url);
      return { url, isReached: result?.isReached ?? false, reason: result?.reason ?? "" };
    }),
    interfaces: roles.roles.map(
      ({ view, protocol }): InterfaceStatus => ({
        name: view.name,
        mac: view.mac,
        kind: view.kind === "" ? "device" : view.kind,
        isUp: view.isUp,
        hasCarrier: view.hasCarrier,
        mtu: view.mtu === 0 ? mtuOf(view.name) : view.mtu,
        master: view.master,
        addresses: addressesOf(view),
        protocol,
        lease: view.lease ?? null,
        tried: report.tried(view.name),
      }),
    ),
    dns,
  };
}

/** IPv4 first. Before netlink is loaded only those of leases are known. */
function addressesOf({ addresses, lease }: InterfaceView): string[] {
  if (addresses.length === 0) {
    return lease === undefined ? [] : [`${lease.address}/${lease.prefix}`];
  }
  const sorted = [...addresses].sort((one, other) => one.family - other.family);
  return sorted.map(({ address, prefix }) => `${address}/${prefix}`);
}
