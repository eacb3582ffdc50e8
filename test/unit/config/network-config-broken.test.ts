import { expect, test } from "vitest";
import { parseNetworkConfig } from "../../../src/config/network-config-parse.ts";
import { DEFAULT_NETWORK_CONFIG } from "../../../src/config/network-types.ts";

const FILE = "/etc/g8os/net.toml";
const NAME =
  'the name of an interface, 1 to 15 characters without slash, colon and space, not ".", "..", "all" or "default"';
const SECTIONS = "one of network, interface, static, controller";
const INTERFACE_KEYS = "one of protocol, mac, mtu, ipv6, vlan, bond, bridge";
const MODES =
  "one of balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb";
const PREFIX = 'ADDRESS/PREFIX, for example "10.0.0.5/24" or "2001:db8::5/64"';
const URL_FORM = "https://HOST or https://HOST:PORT with a port from 1 to 65535";

/** A static interface: `ip` stands on line 4, what follows begins on line 5. */
const fixed = (ip: string, more = ""): string =>
  `[interface.eth0]\nprotocol = "static"\n[static.eth0]\nip = ${ip}\n${more}`;
/** A section of an interface by DHCP: what follows begins on line 3. */
const dhcp = (more: string, name = "eth0"): string =>
  `[interface.${name}]\nprotocol = "dhcp"\n${more}`;
const free = (name: string): string => `[interface.${name}]\nprotocol = "none"\n`;

/** Broken text, key, line, value seen, values allowed. */
type Broken = readonly [text: string, key: string, line: number, seen: string, allowed: string];

/** Mistakes after which no interface is set up. */
const FATAL: readonly Broken[] = [
  // Sections and keys
  ["[networks]\nauto = true", "networks", 1, "an unknown key", SECTIONS],
  ["\n[interfaces.eth0]\nprotocol = 'dhcp'", "interfaces", 2, "an unknown key", SECTIONS],
  ["interface = 3", "interface", 1, "3", "a table"],
  ["[interface]\neth0 = 'dhcp'", "interface.eth0", 2, '"dhcp"', "a table"],
  ["[[interface]]\nprotocol = 'dhcp'", "interface", 1, '[{ protocol = "dhcp" }]', "a table"],
  ["static = []", "static", 1, "[]", "a table"],
  [dhcp("mut = 9000"), "interface.eth0.mut", 3, "an unknown key", INTERFACE_KEYS],
  [
    "[interface.eth0]\nprotocol = 'none'\n[interface.eth0.5]\nprotocol = 'dhcp'",
    "interface.eth0.5",
    3,
    "an unknown key",
    `${INTERFACE_KEYS}; a name with a dot is written [interface."eth0.5"]`,
  ],
  [
    fixed('"10.0.0.5/24"', 'gatway = "10.0.0.1"'),
    "static.eth0.gatway",
    5,
    "an unknown key",
    "one of ip, gateway, dns, search, route",
  ],
  // Names
  ['[interface."a/b"]\nprotocol = "none"', 'interface."a/b"', 1, '"a/b"', NAME],
  ['[interface."a b"]\nprotocol = "none"', 'interface."a b"', 1, '"a b"', NAME],
  [
    "[interface.abcdefghijklmnop]\nprotocol = 'none'",
    "interface.abcdefghijklmnop",
    1,
    '"abcdefghijklmnop"',
    NAME,
  ],
  ['[interface."\\u0007"]\nprotocol = "none"', 'interface."\\u0007"', 1, '"\\u0007"', NAME],
  ['[interface.""]\nprotocol = "none"', 'interface.""', 1, '""', NAME],
  ["[interface.all]\nprotocol = 'none'", "interface.all", 1, '"all"', NAME],
  // Protocol
  [
    "[interface.eth0]\nmtu = 1500",
    "interface.eth0.protocol",
    1,
    "nothing",
    "one of none, dhcp, static",
  ],
  [
    "[interface.eth0]\nprotocol = 'DHCP'",
    "interface.eth0.protocol",
    2,
    '"DHCP"',
    "one of none, dhcp, static",
  ],
  [
    "[interface.eth0]\nprotocol = true",
    "interface.eth0.protocol",
    2,
    "true",
    "one of none, dhcp, static",
  ],
  [
    "[interface.lo]\nprotocol = 'dhcp'",
    "interface.lo.protocol",
    2,
    '"dhcp"',
    "one of none, static for the loopback interface",
  ],
  [
    "[interface.eth0]\nprotocol = 'static'",
    "interface.eth0.protocol",
    2,
    '"static" without addresses',
    'ip = "ADDRESS/PREFIX" in a section [static.eth0]',
  ],
  [
    "[interface.eth0]\nprotocol = 'static'\n[static.eth0]\ndns = []",
    "static.eth0.ip",
    3,
    '"static" without addresses',
    'ip = "ADDRESS/PREFIX" in a section [static.eth0]',
  ],
  [
    "[static.eth0]\nip = '10.0.0.5/24'",
    "static.eth0",
    1,
    "[static.eth0] alone",
    'a section [interface.eth0] with protocol = "static"',
  ],
  [
    dhcp("[static.eth0]\nip = '10.0.0.5/24'"),
    "static.eth0",
    3,
    'a section beside protocol = "dhcp"',
    'protocol = "static" in [interface.eth0]',
  ],
  // MAC, MTU, IPv6
  [
    dhcp("mac = '52:54:00:12:34'"),
    "interface.eth0.mac",
    3,
    '"52:54:00:12:34"',
    'six hexadecimal bytes with colons, for example "52:54:00:12:34:56"',
  ],
  [
    dhcp("mac = '01:00:5e:00:00:01'"),
    "interface.eth0.mac",
    3,
    '"01:00:5e:00:00:01", a group address,',
    "the hardware address of one interface",
  ],
  [
    `${dhcp("mac = '52:54:00:00:00:01'")}\n[interface.b]\nprotocol = 'dhcp'\nmac = '52:54:00:00:00:01'`,
    "interface.b.mac",
    6,
    '"52:54:00:00:00:01"',
    "an address that no other section has, [interface.eth0] has it",
  ],
  [
    dhcp("mac = '52:54:00:00:00:01'\nbridge = {}"),
    "interface.eth0.mac",
    3,
    '"52:54:00:00:00:01"',
    "no mac beside vlan, bond or bridge",
  ],
  [dhcp("mtu = 67"), "interface.eth0.mtu", 3, "67", "an integer from 68 to 65535"],
  [dhcp("mtu = 65536"), "interface.eth0.mtu", 3, "65536", "an integer from 68 to 65535"],
  [dhcp("mtu = '1500'"), "interface.eth0.mtu", 3, '"1500"', "an integer from 68 to 65535"],
  [
    dhcp("mtu = 1000"),
    "interface.eth0.mtu",
    3,
    "1000",
    'an integer from 1280 to 65535, or ipv6 = "none" and no IPv6 address',
  ],
  [dhcp("ipv6 = 'dhcp'"), "interface.eth0.ipv6", 3, '"dhcp"', "one of slaac, none"],
  // Addresses
  [fixed('"10.0.0.5"'), "static.eth0.ip", 4, '"10.0.0.5"', PREFIX],
  [fixed('"10.0.0.500/24"'), "static.eth0.ip", 4, '"10.0.0.500/24"', PREFIX],
  [fixed('"10.0.0.05/24"'), "static.eth0.ip", 4, '"10.0.0.05/24"', PREFIX],
  [fixed('"10.0.0.5/33"'), "static.eth0.ip", 4, '"10.0.0.5/33"', PREFIX],
  [fixed('"10.0.0.5/255.255.255.0"'), "static.eth0.ip", 4, '"10.0.0.5/255.255.255.0"', PREFIX],
  [fixed('"10.0.0.5/0"'), "static.eth0.ip", 4, '"10.0.0.5/0"', "a prefix from 1 to 32"],
  [fixed('"2001:db8::1::2/64"'), "static.eth0.ip", 4, '"2001:db8::1::2/64"', PREFIX],
  [fixed('"2001:db8::5/129"'), "static.eth0.ip", 4, '"2001:db8::5/129"', PREFIX],
  [fixed("5"), "static.eth0.ip", 4, "5", PREFIX],
  [fixed("[]"), "static.eth0.ip", 4, "[]", "at least one address"],
  [fixed('[\n  "10.0.0.5/24",\n  "x",\n]'), "static.eth0.ip[1]", 6, '"x"', PREFIX],
  [
    fixed('"10.0.0.0/24"'),
    "static.eth0.ip",
    4,
    '"10.0.0.0/24", the address of the network,',
    "the address of a host",
  ],
  [
    fixed('"10.0.0.255/24"'),
    "static.eth0.ip",
    4,
    '"10.0.0.255/24", the broadcast address,',
    "the address of a host",
  ],
  [
    fixed('"2001:db8::/64"'),
    "static.eth0.ip",
    4,
    '"2001:db8::/64", the address of the network,',
    "the address of a host",
  ],
  [
    fixed('"127.0.0.2/8"'),
    "static.eth0.ip",
    4,
    '"127.0.0.2/8", a loopback address,',
    "an address one machine can have",
  ],
  [
    fixed('"224.0.0.5/24"'),
    "static.eth0.ip",
    4,
    '"224.0.0.5/24", a multicast address,',
    "an address one machine can have",
  ],
  [
    fixed('"0.0.0.0/24"'),
    "static.eth0.ip",
    4,
    '"0.0.0.0/24", an unspecified address,',
    "an address one machine can have",
  ],
  [
    fixed('"255.255.255.255/32"'),
    "static.eth0.ip",
    4,
    '"255.255.255.255/32", a reserved address,',
    "an address one machine can have",
  ],
  [
    fixed('"ff02::5/64"'),
    "static.eth0.ip",
    4,
    '"ff02::5/64", a multicast address,',
    "an address one machine can have",
  ],
  [
    fixed('"::1/128"'),
    "static.eth0.ip",
    4,
    '"::1/128", the loopback address,',
    "an address one machine can have",
  ],
  [
    fixed('"::ffff:10.0.0.5/128"'),
    "static.eth0.ip",
    4,
    '"::ffff:10.0.0.5/128", an IPv4-mapped address,',
    "an address one machine can have",
  ],
  [
    fixed('["10.0.0.5/24", "10.0.0.5/16"]'),
    "static.eth0.ip[1]",
    4,
    '"10.0.0.5"',
    "each address once",
  ],
  [
    `${fixed('"10.0.0.5/24"')}[interface.b]\nprotocol = "static"\n[static.b]\nip = "10.0.0.5/24"`,
    "static.b.ip[0]",
    8,
    '"10.0.0.5"',
    "an address that no other section has, [static.eth0] has it",
  ],
  // Gateways, routes, name servers
  [
    fixed('"10.0.0.5/24"', 'gateway = "10.0.1.1"'),
    "static.eth0.gateway",
    5,
    '"10.0.1.1"',
    "an address inside 10.0.0.5/24",
  ],
  [
    fixed('"10.0.0.5/24"', 'gateway = "2001:db8::1"'),
    "static.eth0.gateway",
    5,
    '"2001:db8::1"',
    "an address inside a network of IPv6 of the interface",
  ],
  [
    fixed('"10.0.0.5/24"', 'gateway = "10.0.0.5"'),
    "static.eth0.gateway",
    5,
    '"10.0.0.5", the address of this machine,',
    "another machine",
  ],
  [
    fixed('"10.0.0.5/24"', 'gateway = ["10.0.0.1", "10.0.0.2"]'),
    "static.eth0.gateway[1]",
    5,
    '"10.0.0.2"',
    "at most one gateway of IPv4",
  ],
  [
    fixed('"10.0.0.5/24"', 'gateway = "10.0.0.1/24"'),
    "static.eth0.gateway",
    5,
    '"10.0.0.1/24"',
    "an IPv4 or IPv6 address without prefix",
  ],
  [
    fixed('"10.0.0.5/24"', 'dns = ["10.0.0.2", "ns.example"]'),
    "static.eth0.dns[1]",
    5,
    '"ns.example"',
    "an IPv4 or IPv6 address",
  ],
  [
    fixed('"10.0.0.5/24"', 'search = "bad domain"'),
    "static.eth0.search",
    5,
    '"bad domain"',
    "a domain name such as lab.example",
  ],
  [
    fixed('"10.0.0.5/24"', '[static.eth0.route]\nto = "default"'),
    "static.eth0.route",
    5,
    '{ to = "default" }',
    "an array of tables, written [[static.eth0.route]]",
  ],
  [
    fixed('"10.0.0.5/24"', '[[static.eth0.route]]\nvia = "10.0.0.9"'),
    "static.eth0.route[0].to",
    5,
    "nothing",
    'NETWORK/PREFIX or "default"',
  ],
  [
    fixed('"10.0.0.5/24"', '[[static.eth0.route]]\nto = "10.7.0.5/16"\nvia = "10.0.0.9"'),
    "static.eth0.route[0].to",
    6,
    '"10.7.0.5/16", not a network,',
    '"10.7.0.0/16"',
  ],
  [
    fixed(
      '"10.0.0.5/24"',
      '[[static.eth0.route]]\nto = "10.7.0.0/16"\n[[static.eth0.route]]\nto = "10.8.0.0/16"\nvia = "10.9.0.1"',
    ),
    "static.eth0.route[1].via",
    9,
    '"10.9.0.1"',
    "an address inside 10.0.0.5/24, 10.7.0.0/16",
  ],
  [
    fixed('"10.0.0.5/24"', '[[static.eth0.route]]\nto = "2001:db8::/32"\nvia = "10.0.0.9"'),
    "static.eth0.route[0].via",
    7,
    '"10.0.0.9"',
    "an address of IPv6 like that in to",
  ],
  [
    fixed('"10.0.0.5/24"', '[[static.eth0.route]]\nto = "default"'),
    "static.eth0.route[0].via",
    5,
    "nothing",
    'a router, or to = "0.0.0.0/0" or "::/0" for a default route without one',
  ],
  [
    fixed('"10.0.0.5/24"', '[[static.eth0.route]]\nto = "10.7.0.0/16"\nmetric = 0'),
    "static.eth0.route[0].metric",
    7,
    "0",
    "an integer from 1 to 4294967294",
  ],
  [
    fixed(
      '"10.0.0.5/24"',
      'gateway = "10.0.0.1"\n[[static.eth0.route]]\nto = "default"\nvia = "10.0.0.9"',
    ),
    "static.eth0.route[0].to",
    7,
    '"0.0.0.0/0"',
    "one route to 0.0.0.0/0 for each metric, the gateway included",
  ],
  // VLAN, bond, bridge
  [
    dhcp("vlan = { link = 'eth1', id = 0 }"),
    "interface.eth0.vlan.id",
    3,
    "0",
    "an integer from 1 to 4094",
  ],
  [
    dhcp("vlan = { link = 'eth1', id = 4095 }"),
    "interface.eth0.vlan.id",
    3,
    "4095",
    "an integer from 1 to 4094",
  ],
  [
    dhcp("vlan = { link = 'eth1' }"),
    "interface.eth0.vlan.id",
    3,
    "nothing",
    "an integer from 1 to 4094",
  ],
  [dhcp("vlan = { id = 4 }"), "interface.eth0.vlan.link", 3, "nothing", NAME],
  [dhcp("vlan = 5"), "interface.eth0.vlan", 3, "5", "a table"],
  [
    dhcp("vlan = { link = 'a', id = 4, name = 'x' }"),
    "interface.eth0.vlan.name",
    3,
    "an unknown key",
    "one of link, id",
  ],
  [
    dhcp("vlan = { link = 'a', id = 4 }\nbridge = {}"),
    "interface.eth0.bridge",
    4,
    "bridge beside vlan",
    "only one of both",
  ],
  [
    dhcp("vlan = { link = 'eth0', id = 4 }"),
    "interface.eth0.vlan.link",
    3,
    "eth0 on eth0",
    "an interface that does not rest on itself",
  ],
  [
    `${dhcp("vlan = { link = 'b', id = 4 }", "a")}\n${dhcp("vlan = { link = 'a', id = 4 }", "b")}`,
    "interface.a.vlan.link",
    3,
    "a on b on a",
    "an interface that does not rest on itself",
  ],
  [
    `${dhcp("vlan = { link = 'e', id = 4 }", "a")}\n${dhcp("vlan = { link = 'e', id = 4 }", "b")}`,
    "interface.b.vlan.id",
    6,
    "4",
    "an id that is free on e, [interface.a] has it",
  ],
  [
    dhcp("bond = { mode = 'fast', members = ['eth1'] }"),
    "interface.eth0.bond.mode",
    3,
    '"fast"',
    MODES,
  ],
  [
    dhcp("bond = { mode = 'active-backup' }"),
    "interface.eth0.bond.members",
    3,
    "nothing",
    "an array of names of interfaces, at least one",
  ],
  [
    dhcp("bond = { members = [] }"),
    "interface.eth0.bond.members",
    3,
    "nothing",
    "an array of names of interfaces, at least one",
  ],
  [
    dhcp("bond = { members = ['eth0'] }"),
    "interface.eth0.bond.members[0]",
    3,
    '"eth0"',
    "another interface than the bond itself",
  ],
  [
    dhcp("bond = { members = ['eth1'], miimon = -1 }"),
    "interface.eth0.bond.miimon",
    3,
    "-1",
    "an integer from 0 to 60000",
  ],
  [
    dhcp("bridge = { members = ['eth1', 'eth1'] }"),
    "interface.eth0.bridge.members[1]",
    3,
    '"eth1"',
    "each member once",
  ],
  [
    `${dhcp("bridge = { members = ['e'] }", "a")}\n${dhcp("bond = { members = ['e'] }", "b")}`,
    "interface.b.bond.members[0]",
    6,
    '"e"',
    "an interface that is not a member of a",
  ],
  [
    `${dhcp("bond = { members = ['eth1'] }", "bond0")}\n${dhcp("", "eth1")}`,
    "interface.bond0.bond.members[0]",
    3,
    '"eth1"',
    'an interface with protocol = "none": its bond has the addresses',
  ],
  [
    `${dhcp("bridge = { members = ['b'] }", "a")}\n${free("b")}bridge = {}`,
    "interface.a.bridge.members[0]",
    3,
    '"b"',
    "an interface that can be in a bridge, which a bridge cannot",
  ],
  [
    `${dhcp("bond = { members = ['up'] }", "a")}\n${free("up")}mac = '52:54:00:00:00:01'`,
    "interface.a.bond.members[0]",
    3,
    '"up"',
    "an interface that is told by its name, because a bond changes hardware addresses",
  ],
  [dhcp("bridge = { stp = 1 }"), "interface.eth0.bridge.stp", 3, "1", "true or false"],
];

/** Mistakes that cost nothing but their own value. */
const HARMLESS: readonly Broken[] = [
  [
    "[network]\nautomatic = true",
    "network.automatic",
    2,
    "an unknown key",
    "one of auto, dhcp_limit, dns, search, probes",
  ],
  ["[network]\nauto = 'yes'", "network.auto", 2, '"yes"', "true or false"],
  ["[network]\ndhcp_limit = 0", "network.dhcp_limit", 2, "0", "an integer from 1 to 300"],
  ["[network]\ndhcp_limit = 1.5", "network.dhcp_limit", 2, "1.5", "an integer from 1 to 300"],
  [
    "[network]\ndhcp_limit = 99999999999999999999",
    "network.dhcp_limit",
    2,
    "7766279631452241919",
    "an integer from 1 to 300",
  ],
  [
    "[network]\ndns = ['224.0.0.1']",
    "network.dns[0]",
    2,
    '"224.0.0.1", a multicast address,',
    "the address of a name server",
  ],
  [
    "[network]\nprobes = ['10.0.0.1']",
    "network.probes[0]",
    2,
    '"10.0.0.1"',
    "HOST:PORT with a port from 1 to 65535",
  ],
  ["network = 1979-05-27", "network", 1, "1979-05-27", "a table"],
  [
    "[controller]\nurl = 'https://a'",
    "controller",
    1,
    '{ url = "https://a" }',
    "an array of tables, written [[controller]]",
  ],
  [
    "[[controller]]\nurl = 'https://a'",
    "controller[0].ca",
    1,
    "nothing",
    "the absolute path of a PEM file",
  ],
  [
    "[[controller]]\nca = '/ca.pem'",
    "controller[0].url",
    1,
    "nothing",
    "https://HOST or https://HOST:PORT",
  ],
  [
    "[[controller]]\nurl = 'https://a'\nca = '/c'\n[[controller]]\nurl = 'https://b'\nca = 'ca.pem'",
    "controller[1].ca",
    6,
    '"ca.pem"',
    "the absolute path of a PEM file",
  ],
  [
    "[[controller]]\nurl = 'http://a'\nca = '/ca.pem'",
    "controller[0].url",
    2,
    '"http://a", not encrypted,',
    URL_FORM,
  ],
  [
    "[[controller]]\nurl = 'https://a/api'\nca = '/ca.pem'",
    "controller[0].url",
    2,
    '"https://a/api", with a path,',
    URL_FORM,
  ],
  [
    "[[controller]]\nurl = 'https://me:secret@a'\nca = '/ca.pem'",
    "controller[0].url",
    2,
    "a URL with user information",
    URL_FORM,
  ],
  [
    "[[controller]]\nurl = 'https://a:70000'\nca = '/ca.pem'",
    "controller[0].url",
    2,
    '"https://a:70000"',
    URL_FORM,
  ],
  [
    "[[controller]]\nurl = 'https://10.0.0.256'\nca = '/ca.pem'",
    "controller[0].url",
    2,
    '"https://10.0.0.256"',
    URL_FORM,
  ],
  [
    "[[controller]]\nurl = 'https://a'\nca = '/c'\n[[controller]]\nurl = 'https://a/'\nca = '/c'",
    "controller[1].url",
    5,
    '"https://a"',
    "each controller once",
  ],
  [
    "[[controller]]\nurl = 'https://a'\nca = '/c'\nkey = 'k'",
    "controller[0].key",
    4,
    "an unknown key",
    "one of url, ca",
  ],
];

const sentence = ([, key, line, seen, allowed]: Broken): string =>
  `Cannot use ${key} in ${FILE}:${line}: ${seen} seen, expected ${allowed}`;

test.each(FATAL)("one sentence names the mistake, and no interface is set up: %j", (...broken) => {
  const [text] = broken;
  const { config, problems } = parseNetworkConfig(text, FILE);
  expect(problems).toEqual([sentence(broken)]);
  expect(config).toMatchObject({ auto: false, interfaces: [] });
});

test.each(FATAL)("controllers and probes stay beside a broken interface: %j", (text) => {
  const more =
    '\n[network]\nauto = true\nprobes = ["h:1"]\n[[controller]]\nurl = "https://c"\nca = "/ca.pem"\n';
  const { config } = parseNetworkConfig(text + more, FILE);
  expect(config).toEqual({
    ...DEFAULT_NETWORK_CONFIG,
    probes: [{ host: "h", port: 1 }],
    controllers: [{ url: "https://c", ca: "/ca.pem" }],
  });
});

test.each(HARMLESS)("one sentence names the mistake, and interfaces stay: %j", (...broken) => {
  const [text] = broken;
  const { config, problems } = parseNetworkConfig(`${text}\n${dhcp("")}`, FILE);
  expect(problems).toEqual([sentence(broken)]);
  expect(config.interfaces.map(({ name }) => name)).toEqual(["eth0"]);
});

test.each([
  ["[network]\nauto = \n", 2, "Unexpected character, expecting"],
  ["[network]\nauto = yes\n", 2, "Unexpected character, expecting"],
  ["a = 1\na = 2", 2, "Can't redefine existing key"],
  ["[interface.eth0]\nx = 1\n[interface.eth0]\n", 3, "Can't redefine existing key"],
  ['x = "abc', 1, "Unterminated string"],
  ["\n\n[static.eth0", 3, "Key ended without value"],
  ["[static.eth0]\nip = 10.0.0.5/24", 2, "Unexpected character"],
  ["x = 1\ny = \0", 2, "a zero byte seen, expected TOML in UTF-8"],
  ["x = 1\ny = '\uFFFD'", 2, "bytes that are not UTF-8 seen, expected TOML in UTF-8"],
])("a file that is not TOML is one sentence with its line: %j", (text, line, what) => {
  const { config, problems } = parseNetworkConfig(text, FILE);
  expect(config).toEqual(DEFAULT_NETWORK_CONFIG);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`Cannot read ${FILE}:${line}: ${what}`);
});

test("a file larger than a mebibyte is not parsed", () => {
  const { config, problems } = parseNetworkConfig(`#${"x".repeat(1024 * 1024)}`, FILE);
  expect(problems).toEqual([`Cannot read ${FILE}: 1048577 bytes seen, expected at most 1048576`]);
  expect(config).toEqual(DEFAULT_NETWORK_CONFIG);
});

test.each([
  ["arrays", `[network]\ndns = ${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ["inline tables", `[network]\ndns = ${"{a=".repeat(50_000)}1${"}".repeat(50_000)}`],
  ["arrays without end", `[network]\ndns = ${"[".repeat(100_000)}`],
])("deep nesting costs one sentence, not the agent: %s", (_, text) => {
  const { config, problems } = parseNetworkConfig(text, FILE);
  expect(problems).toEqual([`Cannot read ${FILE}:2: a value inside 8 others seen, expected none`]);
  expect(config).toEqual(DEFAULT_NETWORK_CONFIG);
});

test("a key with very many names costs one sentence", () => {
  const { problems } = parseNetworkConfig(`[network]\ndns.${"a.".repeat(50_000)}b = 1`, FILE);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^Cannot use network\.dns in .*:2: .{1,80} seen, expected an IPv4/);
});

test.each([
  "[constructor]\nh2 = 1",
  "[interface.constructor]\nh2 = 1",
  "a.constructor.h2 = 1",
  '"constr\\u0075ctor".h2 = 1',
  '"constr\\U00000075ctor".h2 = 1',
  "'constructor'.h2 = 1",
  "a = { constructor.h2 = 1 }",
  "a = [{ b = { constructor.h2 = 1 } }]",
  "[[constructor.x]]\nh2 = 1",
  "[ a . constructor ]\nh2 = 1\n[",
])("a name that every object has does not reach the parser: %j", (text) => {
  const { config, problems } = parseNetworkConfig(text, FILE);
  expect(problems).toEqual([`Cannot read ${FILE}:1: the name "constructor" seen, expected none`]);
  expect(config).toEqual(DEFAULT_NETWORK_CONFIG);
  expect(Object).not.toHaveProperty("h2");
});

test("each mistake of a file has its own sentence", () => {
  const { problems } = parseNetworkConfig(
    `[network]\nauto = 1\n${fixed('["x", "y"]', "gateway = 3")}`,
    FILE,
  );
  expect(problems.map((problem) => /in \S+:(\d+): (\S+) seen/.exec(problem)?.slice(1))).toEqual([
    ["2", "1"],
    ["6", '"x"'],
    ["6", '"y"'],
    ["7", "3"],
  ]);
});

test("of very many mistakes the first ones are told, and how many more there are", () => {
  const { problems } = parseNetworkConfig(fixed(`[${'"x",'.repeat(100_000)}]`), FILE);
  expect(problems).toHaveLength(51);
  expect(problems[50]).toBe(`Cannot use ${FILE}: 99950 more mistakes seen, expected none`);
});

test("what a URL with a password says is not repeated", () => {
  const text = "[[controller]]\nurl = 'ftp://me:hunter2@a'\nca = '/ca.pem'";
  expect(JSON.stringify(parseNetworkConfig(text, FILE))).not.toContain("hunter2");
});
