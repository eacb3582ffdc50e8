import { networkOf, readIp, readPrefix } from "../config/network-values.ts";
import { type NetworkChange, NODE0_PROTOCOL, type RouteState } from "../sys/network-state.ts";
import type { DesiredRoute } from "./desired.ts";

/**
 * Changes of routes. Those that others lead over come first, and go last.
 *
 * @param ready Names of links that are up: the kernel takes routes for no others.
 */
export function planRoutes(
  desired: readonly DesiredRoute[],
  state: readonly RouteState[],
  ready: ReadonlySet<string>,
): NetworkChange[] {
  const wanted = desired.map(canonical);
  const there = new Set(state.map(routeKey));
  const missing = wanted.filter((one) => !there.has(routeKey(one)) && ready.has(one.interface));
  const keys = new Set(wanted.map(routeKey));
  const stale = state.filter((one) => one.protocol === NODE0_PROTOCOL && !keys.has(routeKey(one)));
  // Two routes of IPv6 may share a place; of IPv4 only one has room there.
  const replaced = new Set<RouteState>();
  const additions = missing.sort(byOrder).map((one): NetworkChange => {
    const rival = stale.find((other) => !replaced.has(other) && placeOf(other) === placeOf(one));
    if (rival !== undefined) replaced.add(rival);
    return {
      op: rival === undefined ? "route.add" : "route.replace",
      destination: one.destination,
      gateway: one.gateway,
      interface: one.interface,
      metric: one.metric,
      protocol: NODE0_PROTOCOL,
      isOnLink: one.isOnLink,
    };
  });
  const removals = stale
    .filter((one) => !replaced.has(one))
    .sort((one, other) => byOrder(other, one))
    .map((one): NetworkChange => {
      const { destination, gateway, metric, protocol } = one;
      return {
        op: "route.remove",
        destination,
        gateway,
        interface: one.interface,
        metric,
        protocol,
      };
    });
  return [...removals, ...additions];
}

type Place = Pick<DesiredRoute, "destination" | "metric">;

const placeOf = ({ destination, metric }: Place): string => `${destination} ${metric}`;

function routeKey(one: Omit<DesiredRoute, "isOnLink">): string {
  return `${placeOf(one)} ${one.gateway} ${one.interface}`;
}

/** Texts as the kernel shows them. */
function canonical(route: DesiredRoute): DesiredRoute {
  const { destination, gateway } = route;
  const network = readPrefix(destination);
  const via = gateway === null ? undefined : readIp(gateway);
  return {
    ...route,
    destination:
      network === undefined ? destination : `${networkOf(network).text}/${network.prefix}`,
    gateway: via?.text ?? gateway,
  };
}

/** Without a router first, then the narrower ones. */
function byOrder(one: DesiredRoute | RouteState, other: DesiredRoute | RouteState): number {
  const isNear = Number(one.gateway !== null) - Number(other.gateway !== null);
  return isNear === 0 ? prefixOf(other) - prefixOf(one) : isNear;
}

function prefixOf({ destination }: Place): number {
  return Number(destination.split("/")[1]);
}
