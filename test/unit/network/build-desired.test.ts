import { expect, test } from "vitest";
import { card, desiredOf, lease } from "../../fakes/desired-input.ts";

const ETH0 = card("eth0", 2);
const ETH1 = card("eth1", 3);
const STATIC = `
[interface.eth0]
protocol = "static"
[static.eth0]
ip = ["10.0.0.5/24", "2001:db8::5/64"]
gateway = ["10.0.0.1", "fe80::1"]
dns = "10.0.0.2"
search = "static.example"
[[static.eth0.route]]
to = "10.7.0.0/16"
via = "10.0.0.9"
[[static.eth0.route]]
to = "10.8.0.0/16"
metric = 50
`;

test("a static interface gets addresses, gateways and routes; their metric is 800 and its index", () => {
  const { links, addresses, routes } = desiredOf(STATIC, [ETH0]);
  expect(links).toEqual([
    {
      name: "eth0",
      create: null,
      isUp: true,
      mtu: null,
      master: undefined,
      acceptsAdvertisements: true,
    },
  ]);
  expect(addresses).toEqual([
    { interface: "eth0", address: "10.0.0.5", prefix: 24, origin: "static", validSeconds: null },
    { interface: "eth0", address: "2001:db8::5", prefix: 64, origin: "static", validSeconds: null },
  ]);
  const route = { interface: "eth0", metric: 802, isOnLink: false };
  expect(routes).toEqual([
    { ...route, destination: "0.0.0.0/0", gateway: "10.0.0.1" },
    { ...route, destination: "::/0", gateway: "fe80::1" },
    { ...route, destination: "10.7.0.0/16", gateway: "10.0.0.9" },
    { ...route, destination: "10.8.0.0/16", gateway: null, metric: 50 },
  ]);
});

test("a router outside the networks of the addresses is on the link", () => {
  const toml = `
[interface.eth0]
protocol = "static"
[static.eth0]
ip = "203.0.113.5/32"
gateway = "198.51.100.1"
route = [{ to = "198.51.100.1/32" }]`;
  const [gateway] = desiredOf(toml, [ETH0]).routes;
  expect(gateway).toMatchObject({ gateway: "198.51.100.1", isOnLink: true });
});

test("a lease brings an address that ends with it, and its gateway with the metric given", () => {
  const leases = new Map([["eth0", { lease: lease({ mtu: 1400 }), metric: 1002 }]]);
  const { links, addresses, routes } = desiredOf("", [ETH0], { leases });
  expect(links).toMatchObject([{ name: "eth0", mtu: 1400 }]);
  expect(addresses).toEqual([
    { interface: "eth0", address: "10.0.2.15", prefix: 24, origin: "dhcp", validSeconds: 3600 },
  ]);
  expect(routes).toEqual([
    {
      interface: "eth0",
      destination: "0.0.0.0/0",
      gateway: "10.0.2.2",
      metric: 1002,
      isOnLink: true,
    },
  ]);
});

test("classless routes of a lease take the place of its gateway", () => {
  const routes = [
    { destination: "10.9.0.0/16", gateway: null },
    { destination: "0.0.0.0/0", gateway: "10.0.2.3" },
  ];
  const leases = new Map([["eth0", { lease: lease({ routes }), metric: 7 }]]);
  expect(desiredOf("", [ETH0], { leases }).routes).toEqual([
    { interface: "eth0", destination: "10.9.0.0/16", gateway: null, metric: 7, isOnLink: false },
    { interface: "eth0", destination: "0.0.0.0/0", gateway: "10.0.2.3", metric: 7, isOnLink: true },
  ]);
});

test("the MTU of net.toml counts more than that of a lease", () => {
  const toml = '[interface.eth0]\nprotocol = "dhcp"\nmtu = 9000';
  const leases = new Map([["eth0", { lease: lease({ mtu: 1400 }), metric: 1 }]]);
  expect(desiredOf(toml, [ETH0], { leases }).links).toMatchObject([{ mtu: 9000 }]);
});

test("a lease in use takes the place of the static addresses of its interface", () => {
  const leases = new Map([["eth0", { lease: lease(), metric: 1 }]]);
  const { addresses, routes } = desiredOf(STATIC, [ETH0], { leases });
  expect(addresses.map(({ address }) => address)).toEqual(["10.0.2.15"]);
  expect(routes.map(({ gateway }) => gateway)).toEqual(["10.0.2.2"]);
});

test("the fallback address has 24 bits and no route, beside what is there", () => {
  const fallback = { interface: "eth0", address: "10.254.254.7" };
  const { addresses, routes } = desiredOf(STATIC, [ETH0], { fallback });
  expect(addresses.at(-1)).toEqual({
    interface: "eth0",
    address: "10.254.254.7",
    prefix: 24,
    origin: "fallback",
    validSeconds: null,
  });
  expect(addresses).toHaveLength(3);
  expect(routes).toHaveLength(4);
});

test("name servers: of the machine, of sections, of leases, the one with the lowest metric first", () => {
  const leases = new Map([
    ["eth1", { lease: lease({ dns: ["9.9.9.9"], search: ["b.example"] }), metric: 1003 }],
    ["eth2", { lease: lease({ dns: ["8.8.8.8", "10.0.0.2"], search: ["a.example"] }), metric: 10 }],
  ]);
  const toml = `[network]\ndns = "10.1.1.1"\nsearch = "first.example"\n${STATIC}`;
  expect(desiredOf(toml, [ETH0], { leases }).dns).toEqual({
    servers: ["10.1.1.1", "10.0.0.2", "8.8.8.8", "9.9.9.9"],
    search: ["first.example", "static.example", "a.example", "b.example"],
  });
});

test("a hardware address means its interface, whatever the name, and never a VLAN or bridge with it", () => {
  const toml = '[interface.uplink]\nprotocol = "dhcp"\nmac = "52:54:00:00:00:03"\nmtu = 1400';
  const vlan = card("a.5", 1, { kind: "vlan", mac: ETH1.mac, parent: "eth1", vlanId: 5 });
  const { links } = desiredOf(toml, [vlan, ETH0, ETH1]);
  expect(links.map(({ name, mtu }) => [name, mtu])).toEqual([
    ["eth1", 1400],
    ["eth0", null],
  ]);
});

test("where two sections mean one interface, the hardware address counts more than the name", () => {
  const toml = `
[interface.eth0]
protocol = "dhcp"
mtu = 1400
[interface.uplink]
protocol = "dhcp"
mac = "52:54:00:00:00:02"
mtu = 1300
`;
  expect(desiredOf(toml, [ETH0]).links).toMatchObject([{ name: "eth0", mtu: 1300 }]);
});

test("a section whose interface is not there changes nothing", () => {
  const toml = `${STATIC.replaceAll("eth0", "eth9")}
[interface.gone]
protocol = "dhcp"
mac = "52:54:00:00:00:09"`;
  const { links, addresses, routes } = desiredOf(toml, [ETH0]);
  expect(links.map(({ name }) => name)).toEqual(["eth0"]);
  expect([...addresses, ...routes]).toEqual([]);
});

test("interfaces with protocol none, named by noautonic, or no candidates are left alone", () => {
  const toml = '[interface.eth0]\nprotocol = "none"\n[interface.eth1]\nprotocol = "dhcp"';
  const bridge = card("docker0", 5, { kind: "bridge" });
  expect(desiredOf(toml, [ETH0, ETH1, bridge], { noAutoNic: ["eth1"] }).links).toEqual([]);
});

test("a VLAN sets up its link, also one that is left alone otherwise", () => {
  const toml = `
[interface.eth0]
protocol = "none"
[interface."eth0.5"]
protocol = "static"
vlan = { link = "eth0", id = 5 }
[static."eth0.5"]
ip = "10.5.0.2/24"
gateway = "10.5.0.1"
`;
  const { links, addresses, routes } = desiredOf(toml, [ETH0], { noAutoNic: ["eth0"] });
  expect(links).toMatchObject([
    { name: "eth0", create: null, isUp: true, acceptsAdvertisements: undefined },
    { name: "eth0.5", create: { kind: "vlan", parent: "eth0", vlanId: 5 } },
  ]);
  expect(addresses).toMatchObject([{ interface: "eth0.5", address: "10.5.0.2" }]);
  // The metric is not known before the link is there.
  expect(routes).toEqual([]);
  const vlan = card("eth0.5", 9, { kind: "vlan", parent: "eth0", vlanId: 5 });
  expect(desiredOf(toml, [ETH0, vlan]).routes).toMatchObject([{ metric: 809 }]);
});

test("the link of a VLAN and the members of a bridge may be labels of sections", () => {
  const toml = `
[interface.up]
protocol = "none"
mac = "52:54:00:00:00:02"
[interface.five]
protocol = "none"
vlan = { link = "up", id = 5 }
[interface.port]
protocol = "none"
mac = "52:54:00:00:00:03"
[interface.br0]
protocol = "none"
bridge = { members = ["port"] }
`;
  const { links } = desiredOf(toml, [ETH0, ETH1]);
  expect(links.map(({ name, create, master }) => [name, create, master])).toEqual([
    ["eth0", null, undefined],
    ["five", { kind: "vlan", parent: "eth0", vlanId: 5 }, undefined],
    ["eth1", null, "br0"],
    ["br0", { kind: "bridge", stp: false }, undefined],
  ]);
});

test("members get their bond, and no addresses by router advertisement", () => {
  const toml =
    '[interface.bond0]\nprotocol = "dhcp"\nbond = { members = ["eth0", "eth1"], miimon = 50 }';
  const { links } = desiredOf(toml, [ETH0, ETH1], { noAutoNic: ["eth1"] });
  expect(links).toMatchObject([
    { name: "bond0", create: { kind: "bond", mode: "active-backup", miimonMs: 50 } },
    { name: "eth0", master: "bond0", acceptsAdvertisements: false, isUp: true },
    { name: "eth1", master: "bond0", acceptsAdvertisements: false, isUp: true },
  ]);
});

test("a link leaves a bridge of net.toml that does not name it any more, and no other one", () => {
  const toml = '[interface.br0]\nprotocol = "none"\nbridge = { members = ["eth2"] }';
  const links = [
    { ...ETH0, master: "br0" },
    { ...ETH1, master: "foreign" },
  ];
  expect(desiredOf(toml, links).links).toMatchObject([
    { name: "br0" },
    { name: "eth0", master: null },
    { name: "eth1", master: undefined },
  ]);
});

test.each([
  ['protocol = "dhcp"', true],
  ['protocol = "dhcp"\nipv6 = "none"', false],
  ['protocol = "none"\nbridge = {}', false],
  ['protocol = "none"\nipv6 = "slaac"\nbridge = {}', true],
])("router advertisements are accepted as the section says: %j", (section, isAccepted) => {
  const { links } = desiredOf(`[interface.eth0]\n${section}`, [ETH0]);
  expect(links).toMatchObject([{ acceptsAdvertisements: isAccepted }]);
});
