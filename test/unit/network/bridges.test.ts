import { describe, expect, test } from "vitest";
import { buildDnsmasqConfig, findDnsmasqUser } from "../../../src/network/bridge-dnsmasq.ts";
import { type BridgeRecord, BridgeRecords } from "../../../src/network/bridge-records.ts";
import { clientAddress, parseBridge, requireFree } from "../../../src/network/bridge-settings.ts";
import type { AddressState } from "../../../src/sys/network-state.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";

const BOOT = "/proc/sys/kernel/random/boot_id";
const WANTED = {
  name: "br0",
  mac: "",
  mode: "dnsmasq",
  nat: true,
  settings: { cidr: "10.20.0.1/24", start: "10.20.0.50", end: "10.20.0.60" },
};
const RECORD: BridgeRecord = {
  ...parseBridge(WANTED),
  hosts: [{ mac: "02:00:00:00:00:01", ip: "10.20.0.7" }],
};

describe("the configuration of a name server", () => {
  test("with DHCP", () => {
    expect(buildDnsmasqConfig(RECORD, "nobody").split("\n")).toEqual([
      "interface=br0",
      "except-interface=lo",
      "bind-interfaces",
      "no-hosts",
      "pid-file=",
      "log-facility=-",
      "user=nobody",
      "dhcp-range=10.20.0.50,10.20.0.60,255.255.255.0,1h",
      "dhcp-option=option:router,10.20.0.1",
      "dhcp-option=option:dns-server,10.20.0.1",
      "dhcp-authoritative",
      "dhcp-lease-max=1035",
      "dhcp-host=02:00:00:00:00:01,10.20.0.7",
      "",
    ]);
  });

  test("without, and without a user to become", () => {
    const settings = { cidr: "172.18.0.1/16" };
    const text = buildDnsmasqConfig(
      { ...parseBridge({ ...WANTED, mode: "static", settings }), hosts: [] },
      undefined,
    );
    expect(text).not.toMatch(/dhcp|user/);
  });

  test.each([
    ["root:x:0\nnobody:x:1\ndnsmasq:x:2\n", "dnsmasq"],
    ["root:x:0\nnobody:x:1\n", "nobody"],
    ["root:x:0\nnobodys:x:1\n", undefined],
  ])("the user in %j is %j", (text, user) => {
    expect(findDnsmasqUser(new MemoryFiles({ "/etc/passwd": text }))).toBe(user);
  });
});

test.each([
  ["10.20.0.200/24", false],
  ["10.20.1.1/24", true],
  ["10.0.0.1/8", false],
  ["10.20.0.129/25", false],
  ["127.0.0.9/24", false],
])("a bridge with %s beside 10.20.0.1/24 is free: %j", (cidr, isFree) => {
  const address = (ip: string, prefix: number): AddressState => ({
    interface: "eth0",
    family: ip.includes(":") ? 6 : 4,
    address: ip,
    prefix,
    scope: "global",
    isTentative: false,
    isDuplicate: false,
    validSeconds: null,
    protocol: 0,
  });
  const addresses = [address("fd00::1", 64), address("127.0.0.1", 8), address("10.20.0.1", 24)];
  const check = (): void => requireFree(cidr, addresses);
  if (isFree) check();
  else expect(check).toThrow(/overlaps/);
});

test.each(["10.20.0.1", "10.20.0.0", "10.20.0.255", "10.21.0.7", "fd00::1", "", "10.20.0.7,x"])(
  "%j is no address for a client",
  (ip) => {
    expect(() => clientAddress(RECORD, ip)).toThrow(expect.objectContaining({ code: "E_BRIDGE" }));
  },
);

describe("bridges of this boot", () => {
  const PATH = "/s/bridges.json";
  const held = (bridges: unknown): BridgeRecord[] => {
    const text = JSON.stringify({ boot: "b", bridges });
    return new BridgeRecords(new MemoryFiles({ [BOOT]: "b\n", [PATH]: text }), "/s").read();
  };

  test("are kept, replaced and forgotten", () => {
    const files = new MemoryFiles({ [BOOT]: "b\n" });
    const records = new BridgeRecords(files, "/s");
    records.put(RECORD);
    records.put({ ...RECORD, name: "br1", hosts: [] });
    records.put({ ...RECORD, hosts: [] });
    expect(new BridgeRecords(files, "/s").read().map(({ name }) => name)).toEqual(["br1", "br0"]);
    expect(records.find("br0")?.hosts).toEqual([]);
    records.remove("br0");
    expect(records.find("br0")).toBe(undefined);
    files.writeText(BOOT, "other\n");
    expect(records.read()).toEqual([]);
  });

  test.each([
    ["no list", 7],
    ["a name with more in it", [{ ...RECORD, name: "br0\nuser=root" }]],
    ["an address with more in it", [{ ...RECORD, start: "10.20.0.50,x" }]],
    [
      "a host with more in it",
      [{ ...RECORD, hosts: [{ mac: "02:00:00:00:00:01,x", ip: "10.20.0.7" }] }],
    ],
    ["a host elsewhere", [{ ...RECORD, hosts: [{ mac: "02:00:00:00:00:01", ip: "10.9.0.7" }] }]],
  ])("with %s count as none", (_what, bridges) => {
    expect(held([RECORD])).toEqual([RECORD]);
    expect(held(bridges)).toEqual([]);
  });
});
