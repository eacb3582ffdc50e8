import type { AddressState, Family, NetworkState } from "../sys/network-state.ts";
import type { Lease } from "./lease.ts";

/** What is known of the interfaces at one moment, loopback left out. */
export interface NetworkView {
  /** By index. */
  readonly interfaces: readonly InterfaceView[];
  /** The best one first; routes of IPv6 only in a full view. */
  readonly defaultRoutes: readonly DefaultRouteView[];
  /** Everything the kernel says; undefined while netlink is not loaded. */
  readonly state: NetworkState | undefined;
}

export interface InterfaceView {
  readonly name: string;
  readonly index: number;
  readonly mac: string;
  /** A device is behind it, or tests say so. */
  readonly isPhysical: boolean;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  /** These are known in a full view only. */
  readonly kind: string;
  readonly mtu: number;
  readonly master: string | null;
  readonly addresses: readonly AddressState[];
  readonly lease: Lease | undefined;
}

export interface DefaultRouteView {
  readonly family: Family;
  readonly interface: string;
  /** Null or `0.0.0.0`: directly on the link. */
  readonly gateway: string | null;
  readonly metric: number;
}

/** The default route of an interface that can carry packets: routes outlive carrier. */
export function usableRoute(view: NetworkView, name?: string): DefaultRouteView | undefined {
  const alive = new Set(
    view.interfaces
      .filter((one) => one.hasCarrier && isAddressed(one, view))
      .map((one) => one.name),
  );
  return view.defaultRoutes.find(
    (route) => alive.has(route.interface) && (name === undefined || route.interface === name),
  );
}

/**
 * Whether an interface has an address of global scope and a default route that no lease of ours gave:
 * by router advertisement, from the kernel command line, or from whoever set it by hand.
 */
export function isConfiguredElsewhere(view: NetworkView, one: InterfaceView): boolean {
  if (!one.hasCarrier) return false;
  const families = new Set(one.addresses.filter(isUsableAddress).map((address) => address.family));
  return view.defaultRoutes.some(
    (route) => route.interface === one.name && families.has(route.family),
  );
}

/** A cheap view does not know addresses: a route is taken as proof there. */
function isAddressed(one: InterfaceView, view: NetworkView): boolean {
  return view.state === undefined || one.addresses.some(isUsableAddress);
}

function isUsableAddress(address: AddressState): boolean {
  return address.scope === "global" && !address.isTentative && !address.isDuplicate;
}
