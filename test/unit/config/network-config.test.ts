import { expect, test } from "vitest";
import { loadNetworkConfig } from "../../../src/config/network-config.ts";
import { parseNetworkConfig } from "../../../src/config/network-config-parse.ts";
import { DEFAULT_NETWORK_CONFIG, type InterfaceConfig } from "../../../src/config/network-types.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";

const FILE = "/etc/g8os/net.toml";
const load = (text: string) => loadNetworkConfig(new MemoryFiles({ [FILE]: text }), FILE);
const DHCP: InterfaceConfig = {
  name: "eth0",
  mac: null,
  protocol: "dhcp",
  addresses: [],
  gateways: [],
  routes: [],
  dns: { servers: [], search: [] },
  mtu: null,
  ipv6: "slaac",
  virtual: null,
};

/** The interfaces of a file without mistake. */
async function interfacesOf(text: string): Promise<readonly InterfaceConfig[]> {
  const { config, problems } = await load(text);
  expect(problems).toEqual([]);
  return config.interfaces;
}

test("without a file the defaults count and nothing is reported", async () => {
  expect(await loadNetworkConfig(new MemoryFiles(), FILE)).toEqual({
    file: FILE,
    isPresent: false,
    config: DEFAULT_NETWORK_CONFIG,
    problems: [],
  });
});

test("a path that is no file is reported", async () => {
  const loaded = await loadNetworkConfig(new MemoryFiles({ [`${FILE}/x`]: "" }), FILE);
  expect(loaded.isPresent).toBe(true);
  expect(loaded.problems).toEqual([`Cannot read ${FILE}: not a readable file, expected TOML`]);
});

test.each(["", "\n", "# nothing\n  # at all\n"])(
  "a file without content is present and changes nothing: %j",
  async (text) => {
    expect(await load(text)).toEqual({
      file: FILE,
      isPresent: true,
      config: DEFAULT_NETWORK_CONFIG,
      problems: [],
    });
  },
);

test("the sections of 0-core are taken as they are", async () => {
  const { config, problems } = await load(`
[network]
auto = true

[interface.lo]
protocol = "static"

[static.lo]
ip = "127.0.0.1/8"

[interface.eth0]
protocol = "static"

[static.eth0]
ip = "192.168.1.5/24"
gateway = "192.168.1.1"

[interface.eth1]
protocol = "none"

[interface.eth2]
protocol = "static"
[static.eth2]
ip = "10.1.0.1/16"
gateway = ""
`);
  expect(problems).toEqual([]);
  expect(config.auto).toBe(true);
  expect(config.interfaces).toEqual([
    {
      ...DHCP,
      protocol: "static",
      addresses: [{ address: "192.168.1.5", prefix: 24 }],
      gateways: ["192.168.1.1"],
    },
    { ...DHCP, name: "eth1", protocol: "none", ipv6: "none" },
    {
      ...DHCP,
      name: "eth2",
      protocol: "static",
      addresses: [{ address: "10.1.0.1", prefix: 16 }],
    },
  ]);
});

test("general settings lie over the defaults", async () => {
  const { config, problems } = await load(`
[network]
dhcp_limit = 60
dns = ["10.0.0.2", "2001:DB8:0:0::2", "fe80::1%eth0", "127.0.0.1"]
search = ["lab.example", "example."]
probes = ["10.0.0.1:53", "[2001:db8::1]:443"]

[[controller]]
url = "https://10.254.254.254:8443"
ca = "/etc/g8os/ca.pem"

[[controller]]
url = "https://Boot.Example/"
ca = "/etc/g8os/other.pem"

[[controller]]
url = "https://[2001:db8::1]"
ca = "/etc/g8os/other.pem"
`);
  expect(problems).toEqual([]);
  expect(config).toEqual({
    auto: false,
    dhcpLimitSeconds: 60,
    dns: {
      servers: ["10.0.0.2", "2001:db8::2", "fe80::1%eth0", "127.0.0.1"],
      search: ["lab.example", "example"],
    },
    interfaces: [],
    probes: [
      { host: "10.0.0.1", port: 53 },
      { host: "2001:db8::1", port: 443 },
    ],
    controllers: [
      { url: "https://10.254.254.254:8443", ca: "/etc/g8os/ca.pem" },
      { url: "https://boot.example", ca: "/etc/g8os/other.pem" },
      { url: "https://[2001:db8::1]", ca: "/etc/g8os/other.pem" },
    ],
  });
});

test("a static interface has addresses, gateways, routes and name servers of both families", async () => {
  const [one] = await interfacesOf(`
[interface.uplink]
protocol = "static"
mac = "52:54:00:AB:cd:ef"
mtu = 9000
ipv6 = "none"

[static.uplink]
ip = ["10.0.0.5/24", "10.0.1.5/32", "2001:DB8::5/64"]
gateway = ["10.0.0.1", "fe80::1"]
dns = "10.0.0.2"
search = "lab.example"

[[static.uplink.route]]
to = "10.7.0.0/16"
via = "10.0.0.9"
metric = 50

[[static.uplink.route]]
to = "default"
via = "2001:db8::1"
metric = 4294967294

[[static.uplink.route]]
to = "172.16.0.1/32"
`);
  expect(one).toEqual({
    name: "uplink",
    mac: "52:54:00:ab:cd:ef",
    protocol: "static",
    addresses: [
      { address: "10.0.0.5", prefix: 24 },
      { address: "10.0.1.5", prefix: 32 },
      { address: "2001:db8::5", prefix: 64 },
    ],
    gateways: ["10.0.0.1", "fe80::1"],
    routes: [
      { destination: "10.7.0.0/16", gateway: "10.0.0.9", metric: 50 },
      { destination: "::/0", gateway: "2001:db8::1", metric: 4_294_967_294 },
      { destination: "172.16.0.1/32", gateway: null, metric: null },
    ],
    dns: { servers: ["10.0.0.2"], search: ["lab.example"] },
    mtu: 9000,
    ipv6: "none",
    virtual: null,
  });
});

test("a router outside the network of an address is fine where a route leads to it", async () => {
  const [one] = await interfacesOf(`
[interface.eth0]
protocol = "static"
[static.eth0]
ip = "203.0.113.5/32"
gateway = "198.51.100.1"
route = [{ to = "198.51.100.1/32" }]
`);
  expect(one?.gateways).toEqual(["198.51.100.1"]);
});

test("VLANs, bonds and bridges say what they are made of", async () => {
  const interfaces = await interfacesOf(`
[interface."bond0.5"]
protocol = "dhcp"
vlan = { link = "bond0", id = 5 }

[interface.bond0]
protocol = "none"
bond = { mode = "802.3ad", members = ["eth1", "eth2"], miimon = 50 }

[interface.eth1]
protocol = "none"
mtu = 1000

[interface.br0]
protocol = "none"
[interface.br0.bridge]
members = ["eth3"]
stp = true

[interface.br1]
protocol = "none"
bridge = {}

[interface.bond1]
protocol = "dhcp"
bond = { members = ["eth4"] }
`);
  expect(interfaces.map(({ virtual }) => virtual)).toEqual([
    { kind: "vlan", link: "bond0", id: 5 },
    { kind: "bond", mode: "802.3ad", members: ["eth1", "eth2"], miimonMs: 50 },
    null,
    { kind: "bridge", members: ["eth3"], stp: true },
    { kind: "bridge", members: [], stp: false },
    { kind: "bond", mode: "active-backup", members: ["eth4"], miimonMs: 100 },
  ]);
});

test("an address on the loopback beside its own is kept", async () => {
  const [one] = await interfacesOf(
    '[interface.lo]\nprotocol = "static"\n[static.lo]\nip = ["127.0.0.1/8", "::1/128", "10.9.9.9/32"]',
  );
  expect(one).toMatchObject({ name: "lo", addresses: [{ address: "10.9.9.9", prefix: 32 }] });
});

test("IPv6 is on with addresses, off without a protocol, and as said otherwise", async () => {
  const interfaces = await interfacesOf(`
interface.a = { protocol = "dhcp" }
interface.b = { protocol = "none" }
interface.c = { protocol = "dhcp", ipv6 = "none" }
interface.d = { protocol = "none", ipv6 = "slaac" }
`);
  expect(interfaces.map(({ ipv6 }) => ipv6)).toEqual(["slaac", "none", "none", "slaac"]);
});

test("a byte order mark and Windows line ends are no mistake", async () => {
  const interfaces = await interfacesOf('\uFEFF[interface.eth0]\r\nprotocol = "dhcp"\r\n');
  expect(interfaces).toEqual([DHCP]);
});

test("two links may have the same link-local address", async () => {
  const section = (name: string) =>
    `[interface.${name}]\nprotocol = "static"\n[static.${name}]\nip = "fe80::5/64"\n`;
  expect(await interfacesOf(section("a") + section("b"))).toHaveLength(2);
});

test.each([
  ["[interface.'eth0']\nprotocol = 3", 2],
  ['[ interface . "eth0" ] # "x"\n\n"protocol" = 3', 3],
  ["interface = {eth0 = {protocol = 3}}", 1],
  ['# a = """\n[interface]\neth0.protocol = 3', 3],
  ['[network]\ndns = ["10.0.0.1", # "]\n  "10.0.0.2"\n]\n[interface.eth0]\nprotocol = 3', 6],
  ["[[controller]]\nurl = 'https://a'\nca = '''\n/a'''\n[interface.eth0]\nprotocol = 3", 6],
  ['[[controller]]\nurl = "https://a"\nca = """/\\"""a""""\n[interface.eth0]\nprotocol = 3', 5],
  ['[interface."e\\u0074h0"]\nprotocol = 3', 2],
  ['[interface."eth0"]\nmtu = 1_500\nprotocol = 3', 3],
])("the line of a key is found however the file is written: %j", (text, line) => {
  const problems = parseNetworkConfig(text, FILE).problems.join("\n");
  expect(problems).toContain(`interface.eth0.protocol in ${FILE}:${line}: 3 seen`);
});

test("the prototype of JavaScript is a name like any other", async () => {
  const interfaces = await interfacesOf('[interface.__proto__]\nprotocol = "dhcp"');
  expect(interfaces.map(({ name }) => name)).toEqual(["__proto__"]);
});
