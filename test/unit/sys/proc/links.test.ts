import { expect, test } from "vitest";
import { parseIpLinks } from "../../../../src/sys/proc/ip-links.ts";
import { toLink } from "../../../../src/sys/proc/sysfs-links.ts";
import { readFixture } from "../../../fixtures/proc/read-fixture.ts";

test("orders links by kernel index and skips empty entries", () => {
  const names = parseIpLinks(readFixture("ip-address.json")).map(({ name }) => name);
  expect(names).toStrictEqual(["lo", "eth0", "nlmon0", "tun0"]);
});

test("shows flags, addresses and states as documented", () => {
  const [lo, eth0, nlmon0, tun0] = parseIpLinks(readFixture("ip-address.json"));
  expect(lo).toStrictEqual({
    mtu: 65536,
    name: "lo",
    hardwareaddr: "",
    flags: ["up", "loopback"],
    addrs: [{ addr: "127.0.0.1/8" }, { addr: "::1/128" }],
    speed: 0,
    carrier: true,
    operstate: false,
  });
  expect(eth0).toMatchObject({ hardwareaddr: "52:54:00:12:34:56", carrier: false, addrs: [] });
  expect(eth0?.flags).toStrictEqual(["up", "broadcast", "multicast"]);
  expect(nlmon0?.flags).toBeNull();
  expect(tun0).toMatchObject({ flags: ["pointtopoint"], addrs: [{ addr: "10.9.0.1/32" }] });
});

const FILES = {
  name: "eth0",
  ifindex: "2",
  mtu: "1400",
  address: "02:fc:00:00:00:01",
  flags: "0x1003",
  speed: "10000",
  carrier: "1",
  operstate: "up",
};

test("reads the same facts from the files of the kernel", () => {
  expect(toLink(FILES, ["192.0.2.2/24"])).toStrictEqual({
    mtu: 1400,
    name: "eth0",
    hardwareaddr: "02:fc:00:00:00:01",
    flags: ["up", "broadcast", "multicast"],
    addrs: [{ addr: "192.0.2.2/24" }],
    speed: 10000,
    carrier: true,
    operstate: true,
  });
});

test("files that refuse to be read mean unknown speed and no carrier", () => {
  const files = {
    ...FILES,
    address: "00:00:00:00",
    flags: "0x0",
    speed: "",
    carrier: "",
    operstate: "down",
  };
  expect(toLink(files, [])).toMatchObject({
    hardwareaddr: "",
    flags: null,
    speed: 0,
    carrier: false,
    operstate: false,
  });
});
