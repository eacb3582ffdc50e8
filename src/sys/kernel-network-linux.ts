import { AgentError } from "../base/errors.ts";
import { textAttribute, u32Attribute } from "./netlink/attributes.ts";
import { buildChange, linkBody } from "./netlink/build-changes.ts";
import { parseAddresses } from "./netlink/parse-addresses.ts";
import { parseLinkName, parseLinks } from "./netlink/parse-links.ts";
import { parseRoutes } from "./netlink/parse-routes.ts";
import {
  ADDRESS_BYTES,
  ROUTE_BYTES,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETROUTE,
} from "./netlink/rtnetlink.ts";
import { NetlinkSession } from "./netlink/session.ts";
import { openNetlinkSocket } from "./netlink/socket.ts";
import type { KernelNetwork, NetworkChange, NetworkState } from "./network-state.ts";

/**
 * The network of the kernel in this process's namespace; the same one at every call. It holds one
 * socket, opened with the first use.
 *
 * Loads koffi: to be imported where it is first needed, not on the way to the agent's start.
 */
export function openKernelNetwork(): KernelNetwork {
  opened ??= new LinuxKernelNetwork(new NetlinkSession(openNetlinkSocket));
  return opened;
}

let opened: KernelNetwork | undefined;

/** Exported for tests, which bring a session of their own. */
export class LinuxKernelNetwork implements KernelNetwork {
  readonly #session: NetlinkSession;

  constructor(session: NetlinkSession) {
    this.#session = session;
  }

  observe(): NetworkState {
    const links = parseLinks(this.#session.dump(RTM_GETLINK, linkBody({}, [WITHOUT_STATISTICS])));
    const names = new Map(links.map(({ index, name }) => [index, name]));
    const addresses = this.#session.dump(RTM_GETADDR, Buffer.alloc(ADDRESS_BYTES));
    const routes = this.#session.dump(RTM_GETROUTE, Buffer.alloc(ROUTE_BYTES));
    return {
      links,
      addresses: parseAddresses(addresses, names),
      routes: parseRoutes(routes, names),
    };
  }

  apply(change: NetworkChange): void {
    const what = describe(change);
    for (const { type, flags, body } of buildChange(change, (name) => this.#indexOf(name, what))) {
      const { errno, text } = this.#session.request(type, flags, body);
      if (errno !== undefined) throw refusal(what, errno, text);
    }
  }

  #indexOf(name: string, what: string): number {
    if (name === "" || Buffer.byteLength(name) > MAX_NAME_BYTES || name.includes("\0")) {
      throw noLink(what, name);
    }
    const body = linkBody({}, [textAttribute(IFLA_IFNAME, name), WITHOUT_STATISTICS]);
    const { errno, text, messages } = this.#session.request(RTM_GETLINK, 0, body);
    const [link] = messages;
    if (errno === "ENODEV" || (errno === undefined && link === undefined)) {
      throw noLink(what, name);
    }
    if (errno !== undefined || link === undefined) throw refusal(what, errno ?? "", text);
    return parseLinkName(link).index;
  }
}

const IFLA_IFNAME = 3;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_SKIP_STATS = 8;
/** Counters are half of what the kernel says about a link. */
const WITHOUT_STATISTICS = u32Attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
const MAX_NAME_BYTES = 15;

function describe(change: NetworkChange): string {
  switch (change.op) {
    case "link.add":
      return `add ${change.link.kind} ${change.name}`;
    case "link.delete":
      return `delete link ${change.name}`;
    case "link.set":
      return `set ${linkSettings(change)} of link ${change.name}`;
    case "address.add":
      return `add address ${change.address}/${change.prefix} to ${change.interface}`;
    case "address.remove":
      return `remove address ${change.address}/${change.prefix} from ${change.interface}`;
    case "route.add":
    case "route.replace":
    case "route.remove": {
      const via = change.gateway === null ? "" : ` via ${change.gateway}`;
      const verb = change.op.slice("route.".length);
      return `${verb} route ${change.destination}${via} on ${change.interface}`;
    }
  }
}

function linkSettings(change: Extract<NetworkChange, { readonly op: "link.set" }>): string {
  const { isUp, mtu, master, newName } = change;
  const parts = [
    isUp === undefined ? [] : [isUp ? "state up" : "state down"],
    mtu === undefined ? [] : [`MTU ${mtu}`],
    master === undefined ? [] : [`master ${master ?? "none"}`],
    newName === undefined ? [] : [`name ${newName}`],
  ].flat();
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function noLink(what: string, name: string): AgentError {
  return new AgentError("E_NO_LINK", `Cannot ${what}: there is no link ${JSON.stringify(name)}`, {
    fields: { interface: name },
  });
}

/** The link may vanish between the two requests: that is a missing link too. */
function refusal(what: string, errno: string, text: string): AgentError {
  const code = errno === "ENODEV" ? "E_NO_LINK" : "E_NETLINK";
  const seen = text === "" ? errno : `${errno}, ${text}`;
  return new AgentError(code, `Cannot ${what}: ${seen}`, { fields: { errno } });
}
