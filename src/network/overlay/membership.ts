import { isNodeId } from "./ids.ts";
import type { OverlayReached, ZeroTierObject } from "./types.ts";

/** What the service says of itself and of one network it has joined. */
export interface MembershipView {
  readonly status: ZeroTierObject;
  readonly network: ZeroTierObject;
  readonly networkId: string;
  /** Addresses without prefix that are on a link now; asked only for the link of the network. */
  readonly onLink: (interfaceName: string) => readonly string[];
}

export type Membership =
  | { readonly isReached: true; readonly reached: OverlayReached }
  | { readonly isReached: false; readonly reason: string };

/**
 * Whether the network can be used: status OK, an address is assigned, and the kernel has it.
 *
 * Source: ZeroTier One, "Network Virtualization Service API", `/network/<id>`.
 */
export function judgeMembership(view: MembershipView): Membership {
  const { status, network, networkId } = view;
  const nodeId = isNodeId(status["address"]) ? status["address"] : "";
  if (nodeId === "") return waiting("zerotier-one has no address of its own yet");
  const state = String(network["status"] ?? "");
  if (state !== "OK") {
    return waiting(explain(state, { nodeId, networkId, isOnline: status["online"] === true }));
  }
  const assigned = texts(network["assignedAddresses"]).filter((text) =>
    /^[\w.:]+\/\d+$/.test(text),
  );
  const interfaceName = String(network["portDeviceName"] ?? "");
  if (assigned.length === 0) {
    return waiting(`authorised on ${networkId}, waiting for an address`);
  }
  if (interfaceName === "") return waiting(`authorised on ${networkId}, waiting for its link`);
  const present = new Set(view.onLink(interfaceName).map(canonical));
  const addresses = assigned.filter((text) => present.has(canonical(text.replace(/\/.*/, ""))));
  if (addresses.length === 0) {
    return waiting(`waiting for ${assigned.join(", ")} to appear on ${interfaceName}`);
  }
  return {
    isReached: true,
    reached: { nodeId, network: networkId, interface: interfaceName, addresses },
  };
}

/** One line for the timeline of the boot. */
export function describeReached({
  interface: name,
  addresses,
  network,
  nodeId,
}: OverlayReached): string {
  return `${name} ${addresses.join(", ")} on ${network} as ${nodeId}`;
}

interface Names {
  readonly nodeId: string;
  readonly networkId: string;
  readonly isOnline: boolean;
}

function explain(state: string, { nodeId, networkId, isOnline }: Names): string {
  switch (state) {
    case "REQUESTING_CONFIGURATION":
      return isOnline
        ? `asking the controller of ${networkId} for the configuration (REQUESTING_CONFIGURATION)`
        : `node ${nodeId} is offline: no root server of ZeroTier answers (REQUESTING_CONFIGURATION)`;
    case "ACCESS_DENIED":
      return `waiting for an administrator to authorise ${nodeId} on ${networkId} (ACCESS_DENIED)`;
    case "AUTHENTICATION_REQUIRED":
      return `network ${networkId} wants a sign-in, which a machine cannot do (AUTHENTICATION_REQUIRED)`;
    case "NOT_FOUND":
      return `the controller of ${networkId} knows no such network (NOT_FOUND)`;
    case "PORT_ERROR":
      return "zerotier-one cannot make its link: is the kernel module tun there? (PORT_ERROR)";
    case "CLIENT_TOO_OLD":
      return `zerotier-one is too old for ${networkId} (CLIENT_TOO_OLD)`;
    default:
      return `network ${networkId} is in the state ${JSON.stringify(state.slice(0, 40))}`;
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** IPv6 addresses have many spellings; the service pads them with zeros, the kernel does not. */
function canonical(address: string): string {
  if (!address.includes(":")) return address;
  return URL.parse(`http://[${address.replace(/%.*/, "")}]/`)?.hostname ?? address;
}

function waiting(reason: string): Membership {
  return { isReached: false, reason };
}
