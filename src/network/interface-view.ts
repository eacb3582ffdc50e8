import type { DefaultRoute, Link } from "../sys/links.ts";
import type { Lease } from "./lease.ts";

/** What is known of one interface the node tries. */
export interface InterfaceView {
  readonly link: Link;
  readonly lease: Lease | undefined;
  /** Monotonic time since which a DHCP client has asked on it; null where none runs. */
  readonly askingSinceMs: number | null;
}

export interface NetworkPolicy {
  /** Interfaces that are left alone. */
  readonly noAutoNic: readonly string[];
  /** True: also interfaces without a device behind them, for tests in namespaces. Default false. */
  readonly includeVirtual?: boolean;
}

/** The interfaces DHCP is tried on. */
export function selectLinks(links: readonly Link[], policy: NetworkPolicy): Link[] {
  return links.filter(
    ({ name, isPhysical }) =>
      (isPhysical || policy.includeVirtual === true) && !policy.noAutoNic.includes(name),
  );
}

/** The default route that can carry packets: routes outlive the carrier of their interface. */
export function usableRoute(
  views: readonly InterfaceView[],
  routes: readonly DefaultRoute[],
): DefaultRoute | undefined {
  const alive = new Set(views.filter(({ link }) => link.hasCarrier).map(({ link }) => link.name));
  return routes.find((route) => alive.has(route.interface));
}

/** "eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2", the interface of the route first. */
export function describeReached(views: readonly InterfaceView[], route: DefaultRoute): string {
  const sorted = [...views].sort(
    (one, other) => Number(isOn(other, route)) - Number(isOn(one, route)),
  );
  const parts = sorted.flatMap(({ link, lease }) =>
    lease === undefined || !link.hasCarrier
      ? []
      : [`${link.name} ${lease.address}/${lease.prefix} by DHCP`],
  );
  const [first = `${route.interface} configured elsewhere`, ...others] = parts;
  const more = others.length === 0 ? "" : `; ${others.join("; ")}`;
  return `${first}, gateway ${route.gateway}${more}`;
}

/** Why there is no network: one clause per interface, "eth0: no DHCP answer after 15 s". */
export function describeTrouble(views: readonly InterfaceView[], nowMs: number): string {
  if (views.length === 0) return "no network interface found";
  const clauses = views.map((view) => `${view.link.name}: ${troubleOf(view, nowMs)}`);
  const shown = clauses.slice(0, 4).join("; ");
  return clauses.length > 4 ? `${shown}; and ${clauses.length - 4} more` : shown;
}

/** What is waited for: the same text for as long as nothing changes. */
export function describeWaiting(views: readonly InterfaceView[]): string {
  const asking = views.filter((view) => view.link.hasCarrier).map(({ link }) => link.name);
  if (asking.length > 0) return `waiting for a DHCP answer on ${asking.join(", ")}`;
  if (views.length === 0) return "waiting for a network interface";
  return `waiting for carrier on ${views.map(({ link }) => link.name).join(", ")}`;
}

function troubleOf(view: InterfaceView, nowMs: number): string {
  if (!view.link.isUp) return "cannot be set up";
  if (!view.link.hasCarrier) return "no carrier";
  if (view.lease !== undefined) return `${view.lease.address} by DHCP, but no default route`;
  if (view.askingSinceMs === null) return "no DHCP client";
  return `no DHCP answer after ${Math.round((nowMs - view.askingSinceMs) / 1000)} s`;
}

const isOn = (view: InterfaceView, route: DefaultRoute): boolean =>
  view.link.name === route.interface;
