import { expect, test } from "vitest";
import type { DesiredNetwork } from "../../../src/network/desired.ts";
import { type OwnedNetwork, planNetwork } from "../../../src/network/plan.ts";
import {
  type AddressState,
  type LinkState,
  type NetworkState,
  NODE0_PROTOCOL,
  type RouteState,
} from "../../../src/sys/network-state.ts";
import { card, desiredOf } from "../../fakes/desired-input.ts";

const ETH0 = card("eth0", 2);
const ETH1 = card("eth1", 3);
const NOTHING: OwnedNetwork = { links: [], addresses: [] };
const BOND =
  '[interface.bond0]\nprotocol = "none"\nbond = { mode = "802.3ad", members = ["eth0"] }';
const VLAN = '[interface.v5]\nprotocol = "none"\nvlan = { link = "eth0", id = 5 }';

const own = (name: string, index: number): OwnedNetwork => ({
  links: [{ name, index }],
  addresses: [],
});

function state(
  links: readonly LinkState[],
  over: Partial<Omit<NetworkState, "links">> = {},
): NetworkState {
  return { links, addresses: [], routes: [], ...over };
}

function address(text: string, over: Partial<AddressState> = {}): AddressState {
  const [ip = "", prefix] = text.split("/");
  return {
    interface: "eth0",
    family: ip.includes(":") ? 6 : 4,
    address: ip,
    prefix: Number(prefix),
    scope: "global",
    isTentative: false,
    isDuplicate: false,
    validSeconds: null,
    protocol: NODE0_PROTOCOL,
    ...over,
  };
}

function route(
  destination: string,
  gateway: string | null,
  over: Partial<RouteState> = {},
): RouteState {
  const family = destination.includes(":") ? 6 : 4;
  return {
    family,
    destination,
    gateway,
    interface: "eth0",
    metric: 802,
    protocol: NODE0_PROTOCOL,
    ...over,
  };
}

const fixed = (ip: string, more = ""): string =>
  `[interface.eth0]\nprotocol = "static"\n[static.eth0]\nip = ${ip}\n${more}`;

/** One line per change. */
function plan(desired: DesiredNetwork, now: NetworkState, owned: OwnedNetwork = NOTHING): string[] {
  return planNetwork(desired, now, owned).map((change) => {
    if (change.op === "link.add") return `add ${change.link.kind} ${change.name}`;
    if (change.op === "link.delete") return `delete ${change.name}`;
    if (change.op === "link.set") {
      const { op: _, name, ...rest } = change;
      return `set ${name} ${JSON.stringify(rest)}`;
    }
    if ("address" in change) {
      return `${change.op} ${change.address}/${change.prefix} ${change.interface}`;
    }
    return `${change.op} ${change.destination} ${change.gateway} ${change.interface} ${change.metric}`;
  });
}

test("what is right already needs no change", () => {
  const desired = desiredOf(
    fixed('["10.0.0.5/24", "2001:DB8:0::5/64"]', 'gateway = ["10.0.0.1", "2001:db8::0:1"]'),
    [ETH0],
  );
  const now = state([ETH0], {
    addresses: [address("10.0.0.5/24"), address("2001:db8::5/64")],
    routes: [route("0.0.0.0/0", "10.0.0.1"), route("::/0", "2001:db8::1")],
  });
  expect(plan(desired, now)).toEqual([]);
});

test("texts that mean the same address or network are the same", () => {
  const desired: DesiredNetwork = {
    links: [],
    dns: { servers: [], search: [] },
    addresses: [
      {
        interface: "eth0",
        address: "2001:DB8:0:0::5",
        prefix: 64,
        origin: "static",
        validSeconds: null,
      },
    ],
    routes: [
      {
        destination: "2001:DB8:7::1/48",
        gateway: "FE80::0:1",
        interface: "eth0",
        metric: 5,
        isOnLink: false,
      },
    ],
  };
  const now = state([ETH0], {
    addresses: [address("2001:db8::5/64")],
    routes: [route("2001:db8:7::/48", "fe80::1", { metric: 5 })],
  });
  expect(plan(desired, now)).toEqual([]);
});

test("links come before addresses, addresses before routes, near routes before those over routers", () => {
  const more = `gateway = "10.0.0.1"
[[static.eth0.route]]
to = "10.7.0.0/16"
via = "10.0.0.9"
[[static.eth0.route]]
to = "10.8.0.0/16"
`;
  const down = { ...ETH0, isUp: false, mtu: 1400 };
  const toml = fixed('"10.0.0.5/24"', more).replace('"static"', '"static"\nmtu = 1500');
  expect(plan(desiredOf(toml, [down]), state([down]))).toEqual([
    'set eth0 {"mtu":1500}',
    'set eth0 {"isUp":true}',
    "address.add 10.0.0.5/24 eth0",
    "route.add 10.8.0.0/16 null eth0 802",
    "route.add 10.7.0.0/16 10.0.0.9 eth0 802",
    "route.add 0.0.0.0/0 10.0.0.1 eth0 802",
  ]);
});

test("what the agent made and is not wanted any more goes, routes before addresses", () => {
  const now = state([ETH0], {
    addresses: [address("10.0.0.5/24")],
    routes: [route("10.8.0.0/16", null), route("0.0.0.0/0", "10.0.0.1")],
  });
  expect(plan(desiredOf("", [ETH0]), now)).toEqual([
    "route.remove 0.0.0.0/0 10.0.0.1 eth0 802",
    "route.remove 10.8.0.0/16 null eth0 802",
    "address.remove 10.0.0.5/24 eth0",
  ]);
});

test("what others made stays", () => {
  const foreign = [
    card("docker0", 5, { kind: "bridge" }),
    card("veth1", 6, { kind: "veth", master: "docker0" }),
    card("v5", 7, { kind: "vlan", parent: "eth0", vlanId: 5 }),
  ];
  const now = state([ETH0, ...foreign], {
    addresses: [
      address("172.17.0.1/16", { interface: "docker0", protocol: 0 }),
      address("10.0.0.9/24", { protocol: 0, validSeconds: 60 }),
      address("fe80::1/64", { scope: "link", protocol: 3 }),
    ],
    routes: [
      route("10.0.0.0/24", null, { protocol: 2, metric: 0 }),
      route("::/0", "fe80::2", { protocol: 9, metric: 1024 }),
      route("0.0.0.0/0", "10.0.0.1", { protocol: 3 }),
    ],
  });
  expect(plan(desiredOf("", [ETH0]), now)).toEqual([]);
});

test("an address without mark that the agent remembers goes", () => {
  const leased = { interface: "eth0", address: "10.0.2.15", prefix: 24 };
  const now = state([ETH0], {
    addresses: [address("10.0.2.15/24", { protocol: 0, validSeconds: 60 })],
  });
  expect(plan(desiredOf("", [ETH0]), now, { links: [], addresses: [leased] })).toEqual([
    "address.remove 10.0.2.15/24 eth0",
  ]);
});

test("a static address does not keep the lifetime of a lease", () => {
  const now = state([ETH0], { addresses: [address("10.0.0.5/24", { validSeconds: 60 })] });
  expect(plan(desiredOf(fixed('"10.0.0.5/24"'), [ETH0]), now)).toEqual([
    "address.remove 10.0.0.5/24 eth0",
    "address.add 10.0.0.5/24 eth0",
  ]);
});

test("the address of a lease is left to its hook, whatever its lifetime is now", () => {
  const desired: DesiredNetwork = {
    ...desiredOf("", [ETH0]),
    addresses: [
      { interface: "eth0", address: "10.0.2.15", prefix: 24, origin: "dhcp", validSeconds: 3600 },
    ],
  };
  const there = state([ETH0], {
    addresses: [address("10.0.2.15/24", { protocol: 0, validSeconds: 1234 })],
  });
  expect(plan(desired, there)).toEqual([]);
  expect(planNetwork(desired, state([ETH0]), NOTHING)).toEqual([
    {
      op: "address.add",
      interface: "eth0",
      address: "10.0.2.15",
      prefix: 24,
      protocol: NODE0_PROTOCOL,
      validSeconds: 3600,
    },
  ]);
});

test("another gateway takes the place of the old one in one step", () => {
  const desired = desiredOf(fixed('"10.0.0.5/24"', 'gateway = "10.0.0.2"'), [ETH0]);
  const now = state([ETH0], {
    addresses: [address("10.0.0.5/24")],
    routes: [route("0.0.0.0/0", "10.0.0.1")],
  });
  expect(plan(desired, now)).toEqual(["route.replace 0.0.0.0/0 10.0.0.2 eth0 802"]);
});

test("another address goes with the old one, also with another prefix only", () => {
  const desired = desiredOf(fixed('"10.0.0.5/16"'), [ETH0]);
  expect(plan(desired, state([ETH0], { addresses: [address("10.0.0.5/24")] }))).toEqual([
    "address.remove 10.0.0.5/24 eth0",
    "address.add 10.0.0.5/16 eth0",
  ]);
});

test("a link that is not there waits, with all that is on it", () => {
  const desired = desiredOf(fixed('"10.0.0.5/24"', 'gateway = "10.0.0.1"'), [ETH0]);
  expect(plan(desired, state([]))).toEqual([]);
});

test("a link that is to be made comes alone, what it rests on before it", () => {
  const toml = `${VLAN.replace("eth0", "bond0")}\n${BOND}`;
  const desired = desiredOf(toml, [ETH0]);
  expect(plan(desired, state([ETH0]))).toEqual(["add bond bond0", "add vlan v5"]);
});

test("a VLAN whose link is not there is not made", () => {
  expect(plan(desiredOf(VLAN, []), state([]))).toEqual([]);
});

test("a member is set down before it gets into a bond, and the bond comes after it", () => {
  const bond = card("bond0", 9, { kind: "bond", bondMode: "802.3ad", isUp: false });
  const desired = desiredOf(BOND, [ETH0, bond]);
  expect(plan(desired, state([ETH0, bond]), own("bond0", 9))).toEqual([
    'set eth0 {"isUp":false}',
    'set eth0 {"master":"bond0"}',
    'set eth0 {"isUp":true}',
    'set bond0 {"isUp":true}',
  ]);
});

test("a member of a bridge stays up", () => {
  const bridge = card("br0", 9, { kind: "bridge" });
  const toml = '[interface.br0]\nprotocol = "none"\nbridge = { members = ["eth0"] }';
  expect(plan(desiredOf(toml, [ETH0, bridge]), state([ETH0, bridge]))).toEqual([
    'set eth0 {"master":"br0"}',
  ]);
});

test("a link that leaves a bond is set up again", () => {
  const bond = card("bond0", 9, { kind: "bond", bondMode: "802.3ad" });
  const member = { ...ETH1, master: "bond0" };
  const links = [{ ...ETH0, master: "bond0" }, member, bond];
  expect(plan(desiredOf(BOND, links), state(links))).toEqual([
    'set eth1 {"master":null}',
    'set eth1 {"isUp":true}',
  ]);
});

test.each([
  ["another id", { kind: "vlan", parent: "eth0", vlanId: 6 }],
  ["another link", { kind: "vlan", parent: "eth1", vlanId: 5 }],
  ["another kind", { kind: "bridge" }],
])("a link the agent made is made again when it has %s", (_, over) => {
  const links = [ETH0, ETH1, card("v5", 9, over)];
  expect(plan(desiredOf(VLAN, links), state(links), own("v5", 9))).toEqual([
    "delete v5",
    "add vlan v5",
  ]);
});

test("a bond with another mode is made again, with the VLAN on it", () => {
  const bond = card("bond0", 9, { kind: "bond", bondMode: "balance-rr" });
  const vlan = card("v5", 10, { kind: "vlan", parent: "bond0", vlanId: 5 });
  const links = [{ ...ETH0, master: "bond0" }, bond, vlan];
  const desired = desiredOf(`${BOND}\n${VLAN.replace("eth0", "bond0")}`, links);
  expect(plan(desired, state(links), own("bond0", 9)).slice(0, 3)).toEqual([
    "delete bond0",
    "add bond bond0",
    "add vlan v5",
  ]);
});

test("links the agent made go when they are not wanted any more, those on top first", () => {
  const bond = card("bond0", 9, { kind: "bond", bondMode: "802.3ad" });
  const vlan = card("v5", 10, { kind: "vlan", parent: "bond0", vlanId: 5 });
  const now = state([ETH0, bond, vlan], {
    addresses: [address("10.5.0.2/24", { interface: "v5" })],
    routes: [route("0.0.0.0/0", "10.5.0.1", { interface: "v5" })],
  });
  const owned = {
    links: [
      { name: "bond0", index: 9 },
      { name: "v5", index: null },
    ],
    addresses: [],
  };
  expect(plan(desiredOf("", [ETH0]), now, owned)).toEqual(["delete v5", "delete bond0"]);
});

test("a link that somebody else made under the name of one the agent made stays", () => {
  const links = [ETH0, card("v5", 11, { kind: "vlan", parent: "eth0", vlanId: 5 })];
  expect(plan(desiredOf("", links), state(links), own("v5", 9))).toEqual([]);
});

test("a link of somebody else that is as wanted is used", () => {
  const links = [ETH0, card("v5", 11, { kind: "vlan", parent: "eth0", vlanId: 5 })];
  expect(plan(desiredOf(VLAN, links), state(links))).toEqual([]);
});

test("a link of somebody else in the way stays; making ours is tried and refused", () => {
  const links = [ETH0, card("v5", 11, { kind: "bridge" })];
  expect(plan(desiredOf(VLAN, links), state(links))).toEqual(["add vlan v5"]);
});

test("the idle bond0 that comes with the module makes room", () => {
  const idle = card("bond0", 9, { kind: "bond", bondMode: "balance-rr", isUp: false });
  const used = { ...idle, isUp: true };
  const desired = desiredOf(BOND, [ETH0, idle]);
  expect(plan(desired, state([ETH0, idle]))).toEqual(["delete bond0", "add bond bond0"]);
  expect(plan(desired, state([ETH0, used]))).toEqual(["add bond bond0"]);
});

test("a link that rests on itself ends the plan all the same", () => {
  const link = (name: string, parent: string): DesiredNetwork["links"][number] => ({
    name,
    create: { kind: "vlan", parent, vlanId: 1 },
    isUp: true,
    mtu: null,
    master: undefined,
    acceptsAdvertisements: undefined,
  });
  const desired = { ...desiredOf("", []), links: [link("a", "b"), link("b", "a")] };
  expect(plan(desired, state([]))).toEqual(["add vlan b", "add vlan a"]);
});
