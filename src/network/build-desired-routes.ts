import type { InterfaceConfig } from "../config/network-types.ts";
import { isInside, isLinkLocalV6, readIp, readPrefix } from "../config/network-values.ts";
import type { LinkState } from "../sys/network-state.ts";
import type { DesiredRoute } from "./desired.ts";
import type { Lease } from "./lease.ts";

/** Base of the metrics of static routes that give none: below those of DHCP. */
const STATIC_METRIC = 800;

/** Gateways and routes of a section. The index keeps interfaces with the same routes apart. */
export function desiredRoutes(section: InterfaceConfig, link: LinkState): DesiredRoute[] {
  const metric = STATIC_METRIC + link.index;
  const routes = [
    ...section.gateways.map((gateway) => ({ destination: defaultFor(gateway), gateway, metric })),
    ...section.routes.map((route) => ({ ...route, metric: route.metric ?? metric })),
  ];
  const near = section.addresses.flatMap(
    ({ address, prefix }) => readPrefix(`${address}/${prefix}`) ?? [],
  );
  return routes.map((route): DesiredRoute => {
    const via = route.gateway === null ? undefined : readIp(route.gateway);
    const isNear =
      via === undefined || isLinkLocalV6(via) || near.some((network) => isInside(via, network));
    return { ...route, interface: link.name, isOnLink: !isNear };
  });
}

/** Routes of a lease, the same that the hook of the DHCP client sets. Source: RFC 3442. */
export function leaseRoutes(name: string, lease: Lease, metric: number): DesiredRoute[] {
  const { gateway } = lease;
  const byGateway = gateway === null ? [] : [{ destination: "0.0.0.0/0", gateway }];
  const routes = lease.routes.length > 0 ? lease.routes : byGateway;
  return routes.map((route) => ({
    destination: route.destination,
    gateway: route.gateway,
    interface: name,
    metric,
    // Routers may be outside the own network; inside of it the flag changes nothing.
    isOnLink: route.gateway !== null,
  }));
}

function defaultFor(gateway: string): string {
  return gateway.includes(":") ? "::/0" : "0.0.0.0/0";
}
