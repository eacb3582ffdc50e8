import { AgentError } from "../../src/base/errors.ts";
import {
  familyOf,
  formatIp,
  formatNetwork,
  maskedBytes,
  parseCidr,
  parseIp,
} from "../../src/sys/netlink/ip-text.ts";
import type {
  AddressState,
  Family,
  KernelNetwork,
  LinkState,
  NetworkChange,
  NetworkState,
  RouteState,
} from "../../src/sys/network-state.ts";

const KERNEL_PROTOCOL = 2;
const STATIC_PROTOCOL = 4;
const MAX_NAME_BYTES = 15;

type ChangeOf<Op extends NetworkChange["op"]> = Extract<NetworkChange, { op: Op }>;
type AddressChange = Extract<NetworkChange, { readonly prefix: number }>;
type RouteChange = Extract<NetworkChange, { readonly destination: string }>;

/**
 * A kernel in memory. It keeps the rules of the real one that a reader may depend on: connected routes
 * come with an address and an upward link, they go with it, a downward link loses its routes and its IPv6
 * addresses, gateways must be reachable, names are unique.
 *
 * `links`, `addresses` and `routes` may be changed by a test at any time, as if somebody else did.
 */
export class FakeKernelNetwork implements KernelNetwork {
  links: LinkState[] = [];
  addresses: AddressState[] = [];
  routes: RouteState[] = [];
  /** Every change that was asked for, refused ones included. */
  readonly changes: NetworkChange[] = [];
  /** Links whose cable is plugged; carrier shows only while they are up. */
  readonly plugged = new Set<string>();
  /** Called before each change; what it throws is how the change fails. */
  beforeChange: (change: NetworkChange) => void = () => {};

  /** Adds a link as hardware does: plugged, down, at the end of the list. */
  addLink(name: string, over: Partial<LinkState> = {}): LinkState {
    const index = Math.max(0, ...this.links.map((link) => link.index)) + 1;
    const link: LinkState = {
      name,
      index,
      kind: "device",
      mac: `52:54:00:00:00:${index.toString(16).padStart(2, "0")}`,
      mtu: 1500,
      isUp: false,
      hasCarrier: false,
      isLoopback: false,
      master: null,
      parent: null,
      vlanId: null,
      bondMode: null,
      ...over,
    };
    if (over.hasCarrier ?? true) this.plugged.add(name);
    this.links.push(link);
    return link;
  }

  observe(): NetworkState {
    const links = this.links.map((link) => ({
      ...link,
      hasCarrier: link.isUp && this.plugged.has(link.name),
    }));
    return {
      links: links.sort((one, other) => one.index - other.index),
      addresses: [...this.addresses],
      routes: [...this.routes],
    };
  }

  apply(change: NetworkChange): void {
    this.changes.push(change);
    this.beforeChange(change);
    if (change.op === "link.add") this.#addLink(change);
    else if (change.op === "link.delete") this.#deleteLink(this.#link(change.name));
    else if (change.op === "link.set") this.#setLink(change);
    else if (change.op === "address.add") this.#addAddress(change);
    else if (change.op === "address.remove") this.#removeAddress(change);
    else if (change.op === "route.remove") this.#removeRoute(change);
    else if (change.op === "route.add" || change.op === "route.replace") this.#addRoute(change);
  }

  /** Changes asked for since the last call. */
  takeChanges(): NetworkChange[] {
    return this.changes.splice(0);
  }

  #link(name: string): LinkState {
    const link = this.links.find((one) => one.name === name);
    if (link !== undefined) return link;
    throw new AgentError("E_NO_LINK", `Cannot find link ${name}: there is none`);
  }

  #update(name: string, over: Partial<LinkState>): void {
    this.links = this.links.map((link) => (link.name === name ? { ...link, ...over } : link));
  }

  #addLink({ name, link, mac }: ChangeOf<"link.add">): void {
    this.#checkNewName(name);
    const address = mac === undefined ? {} : { mac };
    if (link.kind === "vlan") {
      const parent = this.#link(link.parent);
      if (this.links.some((one) => one.parent === parent.name && one.vlanId === link.vlanId)) {
        throw refused("EEXIST", `Cannot add vlan ${name}`);
      }
      const { vlanId } = link;
      this.addLink(name, {
        kind: "vlan",
        mac: parent.mac,
        mtu: parent.mtu,
        ...address,
        parent: parent.name,
        vlanId,
      });
    } else {
      const bondMode = link.kind === "bond" ? link.mode : null;
      this.addLink(name, { kind: link.kind, bondMode, ...address });
    }
  }

  #checkNewName(name: string): void {
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw refused("ERANGE", `Cannot name ${name}`);
    if (name === "" || /[/:\s]/.test(name)) throw refused("EINVAL", `Cannot name ${name}`);
    if (this.links.some((one) => one.name === name)) throw refused("EEXIST", `Cannot name ${name}`);
  }

  #deleteLink({ name, kind }: LinkState): void {
    if (kind === "device") throw refused("ENOTSUP", `Cannot delete link ${name}`);
    for (const above of this.links.filter((one) => one.parent === name)) this.#deleteLink(above);
    this.links = this.links
      .filter((one) => one.name !== name)
      .map((one) => (one.master === name ? { ...one, master: null } : one));
    this.addresses = this.addresses.filter((one) => one.interface !== name);
    this.routes = this.routes.filter((one) => one.interface !== name);
    this.plugged.delete(name);
  }

  #setLink({ name, isUp, mtu, master, newName }: ChangeOf<"link.set">): void {
    const link = this.#link(name);
    if (isUp === false) this.#setDown(link);
    if (mtu !== undefined) {
      if (mtu < 68 || mtu > 65_535) throw refused("EINVAL", `Cannot set mtu ${mtu} of ${name}`);
      this.#update(name, { mtu });
    }
    if (master !== undefined) this.#setMaster(name, master);
    if (isUp === true) this.#setUp(name);
    if (newName !== undefined) this.#rename(name, newName);
  }

  #setUp(name: string): void {
    if (this.#link(name).isUp) return;
    this.#update(name, { isUp: true });
    for (const address of this.addresses) {
      if (address.interface === name) this.#addConnectedRoute(address);
    }
  }

  #setDown({ name }: LinkState): void {
    this.#update(name, { isUp: false });
    this.routes = this.routes.filter((one) => one.interface !== name);
    this.addresses = this.addresses.filter((one) => one.interface !== name || one.family === 4);
  }

  #setMaster(name: string, master: string | null): void {
    if (master !== null) {
      const { kind } = this.#link(master);
      if (kind !== "bridge" && kind !== "bond") {
        throw refused("ENOTSUP", `Cannot put ${name} into ${master}`);
      }
      if (kind === "bond" && this.#link(name).isUp) {
        throw refused("EPERM", `Cannot put ${name} into ${master}`);
      }
      if (kind === "bond") this.#setUp(name);
    }
    this.#update(name, { master });
  }

  #rename(name: string, newName: string): void {
    if (newName === name) return;
    this.#checkNewName(newName);
    const renamed = (text: string): string => (text === name ? newName : text);
    const renamedOrNull = (text: string | null): string | null => text && renamed(text);
    this.links = this.links.map((one) => ({
      ...one,
      name: renamed(one.name),
      master: renamedOrNull(one.master),
      parent: renamedOrNull(one.parent),
    }));
    this.addresses = this.addresses.map((one) => ({ ...one, interface: renamed(one.interface) }));
    this.routes = this.routes.map((one) => ({ ...one, interface: renamed(one.interface) }));
    if (this.plugged.delete(name)) this.plugged.add(newName);
  }

  #addAddress(change: AddressChange): void {
    const link = this.#link(change.interface);
    const { address, family } = canonical(change.address);
    const { prefix, validSeconds = null, protocol = 0 } = change;
    if (this.#findAddress(change) !== undefined) {
      throw refused("EEXIST", `Cannot add address ${address}/${prefix} to ${link.name}`);
    }
    const state: AddressState = {
      interface: link.name,
      family,
      address,
      prefix,
      scope: family === 6 && address.startsWith("fe80:") ? "link" : "global",
      isTentative: false,
      isDuplicate: false,
      validSeconds,
      protocol,
    };
    this.addresses.push(state);
    if (link.isUp) this.#addConnectedRoute(state);
  }

  #removeAddress(change: AddressChange): void {
    this.#link(change.interface);
    const found = this.#findAddress(change);
    if (found === undefined) {
      const what = `${change.address}/${change.prefix}`;
      throw refused("EADDRNOTAVAIL", `Cannot remove address ${what} from ${change.interface}`);
    }
    this.addresses = this.addresses.filter((one) => one !== found);
    const network = networkOf(found);
    if (this.addresses.some((one) => isOn(one, found.interface) && networkOf(one) === network)) {
      return;
    }
    this.routes = this.routes.filter(
      (one) =>
        one.protocol !== KERNEL_PROTOCOL ||
        one.interface !== found.interface ||
        one.destination !== network,
    );
  }

  #findAddress(change: AddressChange): AddressState | undefined {
    const { address } = canonical(change.address);
    return this.addresses.find(
      (one) =>
        isOn(one, change.interface) && one.address === address && one.prefix === change.prefix,
    );
  }

  #addConnectedRoute(state: AddressState): void {
    if (state.family === 4 && state.prefix === 32) return;
    const route: RouteState = {
      family: state.family,
      destination: networkOf(state),
      gateway: null,
      interface: state.interface,
      metric: state.family === 4 ? 0 : 256,
      protocol: KERNEL_PROTOCOL,
    };
    if (!this.routes.some((one) => isSameRoute(one, route))) this.routes.push(route);
  }

  #addRoute(change: RouteChange): void {
    const link = this.#link(change.interface);
    const destination = parseCidr(change.destination);
    const what = `Cannot add route ${change.destination} on ${link.name}`;
    if (destination === undefined) throw refused("EINVAL", what);
    const masked = maskedBytes(destination.bytes, destination.prefix);
    if (destination.family === 4 && !masked.equals(destination.bytes)) {
      throw refused("EINVAL", what);
    }
    const route: RouteState = {
      family: destination.family,
      destination: formatNetwork(destination),
      gateway: change.gateway === null ? null : canonical(change.gateway).address,
      interface: link.name,
      metric: change.metric ?? (destination.family === 4 ? 0 : 1024),
      protocol: change.protocol ?? STATIC_PROTOCOL,
    };
    if (route.gateway !== null && change.isOnLink !== true && !this.#isReachable(route)) {
      throw refused("ENETUNREACH", what);
    }
    if (!link.isUp) throw refused("ENETDOWN", what);
    const rivals = this.routes.filter((one) => isRival(one, route));
    const isReplace = change.op === "route.replace";
    if (!isReplace && (route.family === 4 || rivals.some((one) => isSameRoute(one, route)))) {
      if (rivals.length > 0) throw refused("EEXIST", what);
    }
    if (isReplace) this.routes = this.routes.filter((one) => one !== rivals[0]);
    this.routes.push(route);
  }

  /** A connected route of the same link covers the gateway; link-local ones are always reachable. */
  #isReachable({ gateway, interface: name }: RouteState): boolean {
    const bytes = parseIp(gateway ?? "");
    if (bytes === undefined) return false;
    if (gateway?.startsWith("fe80:") === true) return true;
    return this.routes.some((one) => {
      const network = parseCidr(one.destination);
      return (
        one.interface === name &&
        one.gateway === null &&
        network !== undefined &&
        network.bytes.length === bytes.length &&
        maskedBytes(bytes, network.prefix).equals(network.bytes)
      );
    });
  }

  #removeRoute(change: RouteChange): void {
    this.#link(change.interface);
    const gateway = change.gateway === null ? null : canonical(change.gateway).address;
    const cidr = parseCidr(change.destination);
    const destination = cidr === undefined ? "" : formatNetwork(cidr);
    const found = this.routes
      .filter(
        (one) =>
          one.destination === destination &&
          one.interface === change.interface &&
          (gateway === null || one.gateway === gateway) &&
          (change.metric === undefined || one.metric === change.metric) &&
          (change.protocol === undefined || one.protocol === change.protocol),
      )
      .sort((one, other) => one.metric - other.metric)[0];
    if (found === undefined) {
      throw refused("ESRCH", `Cannot remove route ${change.destination} on ${change.interface}`);
    }
    this.routes = this.routes.filter((one) => one !== found);
  }
}

function refused(errno: string, message: string): AgentError {
  return new AgentError("E_NETLINK", `${message}: ${errno}`, { fields: { errno } });
}

function canonical(text: string): { address: string; family: Family } {
  const bytes = parseIp(text);
  if (bytes === undefined) throw refused("EINVAL", `Cannot read address ${text}`);
  return { address: formatIp(bytes), family: familyOf(bytes) };
}

function isOn(state: AddressState, name: string): boolean {
  return state.interface === name;
}

function networkOf({ address, prefix }: AddressState): string {
  const bytes = parseIp(address);
  return bytes === undefined ? "" : formatNetwork({ bytes, prefix });
}

/** The same place in the table: what `add` refuses for IPv4, and what `replace` takes the place of. */
function isRival(one: RouteState, other: RouteState): boolean {
  return one.destination === other.destination && one.metric === other.metric;
}

function isSameRoute(one: RouteState, other: RouteState): boolean {
  return isRival(one, other) && one.gateway === other.gateway && one.interface === other.interface;
}
