import { describe, expect, test } from "vitest";
import { isOver, parseLease, readUptime } from "../../../src/network/lease.ts";

const TEXT = [
  "interface=eth0",
  "uptime=12.34",
  "client=212",
  "address=10.0.2.15",
  "netmask=255.255.255.0",
  "prefix=24",
  "gateway=10.0.2.2",
  "routes=",
  "dns=10.0.2.3 10.0.2.4",
  "domain=example.org",
  "search=a.example.org b.example.org",
  "ntp=10.0.2.5",
  "hostname=node7",
  "mtu=1400",
  "lease=600",
  "server=10.0.2.2",
  "unprintable=",
  "end=1",
  "",
].join("\n");

const FULL = {
  interface: "eth0",
  address: "10.0.2.15",
  prefix: 24,
  gateway: "10.0.2.2",
  routes: [],
  dns: ["10.0.2.3", "10.0.2.4"],
  search: ["a.example.org", "b.example.org", "example.org"],
  ntp: ["10.0.2.5"],
  hostname: "node7",
  mtu: 1400,
  leaseSeconds: 600,
  obtainedMs: 12_340,
  server: "10.0.2.2",
};

/** The text with other values; the last lines stay where they are. */
function withValues(values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce(
    (text, [key, value]) => text.replace(new RegExp(`^${key}=.*$`, "m"), () => `${key}=${value}`),
    TEXT,
  );
}

function parse(values: Readonly<Record<string, string>>) {
  const dropped: string[] = [];
  const lease = parseLease(withValues(values), (field, value) => dropped.push(`${field} ${value}`));
  return { lease, dropped };
}

describe("a lease file", () => {
  test("is read as the hook writes it", () => {
    expect(parse({})).toEqual({ lease: FULL, dropped: [] });
  });

  test("that is cut anywhere before the end of its last line is no lease", () => {
    for (let length = 0; length < TEXT.length; length += 1) {
      expect(parseLease(TEXT.slice(0, length))).toBeUndefined();
    }
  });

  test("ends with its last line, whatever is left of a longer one after it", () => {
    expect(parseLease(`${TEXT}ple.org\nhostname=old\nend=1\n`)).toEqual(FULL);
  });

  test("with nothing but an address and its prefix is a lease for ever", () => {
    expect(parseLease("interface=eth0\naddress=10.0.2.15\nprefix=24\nend=1\n")).toEqual({
      ...{ interface: "eth0", address: "10.0.2.15", prefix: 24, gateway: null, server: "" },
      ...{ routes: [], dns: [], search: [], ntp: [], hostname: null, mtu: null },
      ...{ leaseSeconds: null, obtainedMs: null },
    });
  });
});

describe("no interface gets", () => {
  test.each([
    "",
    "fe80::1",
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "10.0.2.0",
    "10.0.2.255",
    "10.0.2.256",
    "10.0.2.015",
    "10.0.2",
    "10.0.2.15 10.0.2.16",
    "$(touch /run/pwned)",
  ])("the address %j", (address) => {
    expect(parse({ address })).toEqual({ lease: undefined, dropped: [`address ${address}`] });
  });

  test.each(["", "0", "7", "33", "-1", "2.5", "a", "24 25"])("the prefix %j", (prefix) => {
    expect(parse({ prefix })).toEqual({ lease: undefined, dropped: [`prefix ${prefix}`] });
  });

  test.each(["255.0.255.0", "0.0.0.255", "255.255.255.0 255.255.255.0", "x"])(
    "the mask %j",
    (netmask) => {
      expect(parse({ netmask })).toEqual({ lease: undefined, dropped: [`netmask ${netmask}`] });
    },
  );
});

test.each([
  ["255.255.255.255", "32", "10.0.2.0"],
  ["255.255.255.254", "31", "10.0.2.1"],
  ["255.0.0.0", "8", "10.0.2.0"],
])("with the mask %s and the prefix %s an address may be %s", (netmask, prefix, address) => {
  expect(parse({ netmask, prefix, address }).lease?.address).toBe(address);
});

describe("a value that is not what it is to be is left out and reported:", () => {
  test.each([
    ["hostname", "$(touch /run/pwned)", "hostname", null],
    ["hostname", "`reboot`", "hostname", null],
    ["hostname", "a.b", "hostname", null],
    ["hostname", "-a", "hostname", null],
    ["hostname", "a-", "hostname", null],
    ["hostname", "a_b", "hostname", null],
    ["hostname", "a=b", "hostname", null],
    ["mtu", "0", "mtu", null],
    ["mtu", "575", "mtu", null],
    ["mtu", "9217", "mtu", null],
    ["mtu", "1400 1500", "mtu", null],
    ["lease", "0", "leaseSeconds", null],
    ["lease", "4294967296", "leaseSeconds", null],
    ["gateway", "0.0.0.0", "gateway", null],
    ["gateway", "224.0.0.1", "gateway", null],
    ["server", "0.0.0.0", "server", ""],
    ["dns", "255.255.255.255", "dns", []],
    ["ntp", "pool.ntp.org", "ntp", []],
    ["search", "a..b", "search", ["example.org"]],
    ["search", "a;b", "search", ["example.org"]],
    ["domain", "-a.b", "search", ["a.example.org", "b.example.org"]],
    ["routes", "10.0.0.0/33 10.0.2.9", "routes", []],
    ["routes", "10.0.0.0/8 224.0.0.1", "routes", []],
    ["routes", "127.0.0.0/8 10.0.2.9", "routes", []],
    ["routes", "10.0.0.0 10.0.2.9", "routes", []],
    ["routes", "10.0.0.0/8/8 10.0.2.9", "routes", []],
    ["routes", "10.0.0.0/8 ", "routes", []],
  ])("%s %j", (field, value, member, wanted) => {
    const { lease, dropped } = parse({ [field]: value });
    expect(lease).toMatchObject({ address: "10.0.2.15", [member]: wanted });
    expect(dropped).toEqual([`${field} ${value}`]);
  });

  test("a label or a name that is too long", () => {
    const label = "a".repeat(64);
    expect(parse({ hostname: label }).lease?.hostname).toBeNull();
    expect(parse({ search: label, domain: "" }).lease?.search).toEqual([]);
    const name = `${"a.".repeat(126)}aa`;
    expect(parse({ search: name, domain: "" }).lease?.search).toEqual([]);
    expect(parse({ search: name.slice(1 + 1), domain: "" }).lease?.search).toHaveLength(1);
  });

  test("a word of a list costs that word only", () => {
    const { lease, dropped } = parse({ dns: "10.0.2.3 127.0.0.1 10.0.2.4" });
    expect(lease?.dns).toEqual(["10.0.2.3", "10.0.2.4"]);
    expect(dropped).toEqual(["dns 127.0.0.1"]);
  });

  test("what the hook could not write, because it does not print", () => {
    const { lease, dropped } = parse({ hostname: "", unprintable: "hostname search" });
    expect(lease?.hostname).toBeNull();
    expect(dropped).toEqual(["hostname not printable", "search not printable"]);
  });
});

test.each(["b", "ba", "bad"])("%s is what udhcpc writes for a name it refuses", (name) => {
  const { lease, dropped } = parse({ hostname: name, domain: name });
  expect(lease).toMatchObject({ hostname: null, search: ["a.example.org", "b.example.org"] });
  const value = `${name} (written by udhcpc for a name it refuses)`;
  expect(dropped).toEqual([`domain ${value}`, `hostname ${value}`]);
});

test("what is reported is one short printable line", () => {
  const { dropped } = parse({ hostname: `\u001b[2J\u00e4${"x".repeat(300)}` });
  expect(dropped).toEqual([`hostname ?[2J?${"x".repeat(55)}...`]);
});

test("classless routes come with their host bits cleared, once each, and 0.0.0.0 means on the link", () => {
  const routes =
    "10.1.2.3/8 10.0.2.9 192.168.7.1/32 0.0.0.0 10.0.0.0/8 10.0.2.8 0.0.0.0/0 10.0.2.2";
  expect(parse({ routes }).lease?.routes).toEqual([
    { destination: "10.0.0.0/8", gateway: "10.0.2.9" },
    { destination: "192.168.7.1/32", gateway: null },
    { destination: "0.0.0.0/0", gateway: "10.0.2.2" },
  ]);
});

test("an infinite lease has no seconds", () => {
  expect(parse({ lease: "4294967295" })).toMatchObject({
    lease: { leaseSeconds: null },
    dropped: [],
  });
});

test("a lease is over when its seconds have passed since it was given", () => {
  expect(isOver({ ...FULL, obtainedMs: 1000, leaseSeconds: 30 }, 30_999)).toBe(false);
  expect(isOver({ ...FULL, obtainedMs: 1000, leaseSeconds: 30 }, 31_000)).toBe(true);
  expect(isOver({ ...FULL, leaseSeconds: null }, Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(isOver({ ...FULL, obtainedMs: null }, Number.MAX_SAFE_INTEGER)).toBe(false);
});

test("the time since the kernel started is read from /proc/uptime", () => {
  expect(readUptime("350735.47 234388.90\n")).toBe(350_735_470);
  expect(readUptime("")).toBeNull();
  expect(readUptime("-1 2")).toBeNull();
});
