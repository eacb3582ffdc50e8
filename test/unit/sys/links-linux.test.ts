import { expect, test } from "vitest";
import { linuxLinks, parseDefaultRoutes, setLinkUp } from "../../../src/sys/links-linux.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";

const sysfs = (name: string, entries: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(entries).map(([entry, text]) => [
      `/sys/class/net/${name}/${entry}`,
      `${text}\n`,
    ]),
  );

const ETH = { type: "1", address: "52:54:00:12:34:56", "device/vendor": "0x1af4" };

test("links are read from sysfs in index order, loopback left out", () => {
  const files = new MemoryFiles({
    ...sysfs("lo", { flags: "0x9", ifindex: "1", type: "772" }),
    ...sysfs("eth1", { ...ETH, flags: "0x1002", ifindex: "3" }),
    ...sysfs("eth0", { ...ETH, flags: "0x1003", ifindex: "2", carrier: "1" }),
    ...sysfs("br0", { flags: "0x1003", ifindex: "4", type: "1", carrier: "0" }),
  });
  const links = linuxLinks(files).list();
  expect(
    links.map(({ name, isPhysical, isUp, hasCarrier }) => ({ name, isPhysical, isUp, hasCarrier })),
  ).toEqual([
    { name: "eth0", isPhysical: true, isUp: true, hasCarrier: true },
    { name: "eth1", isPhysical: true, isUp: false, hasCarrier: false },
    { name: "br0", isPhysical: false, isUp: true, hasCarrier: false },
  ]);
});

test("a link is set up by its flags, and left alone when it is up", () => {
  const files = new MemoryFiles(sysfs("eth0", { flags: "0x1002" }));
  setLinkUp(files, "eth0");
  expect(files.readText("/sys/class/net/eth0/flags")).toBe("0x1003");
  files.failing.set("/sys/class/net/eth0/flags", "written again");
  setLinkUp(files, "eth0");
});

test("default routes are found in /proc/net/route, best metric first", () => {
  const text = [
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
    "eth0\t00000000\t0202000A\t0003\t0\t0\t1002\t00000000\t0\t0\t0",
    "eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "eth1\t00000000\tFE01A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
    "eth2\t00000000\t010010AC\t0002\t0\t0\t1\t00000000\t0\t0\t0",
    "eth3\t00000000\t010010AC\t0003\t0\t0\t1\t00000080\t0\t0\t0",
    "",
  ].join("\n");
  expect(parseDefaultRoutes(text)).toEqual([
    { interface: "eth1", gateway: "192.168.1.254", metric: 100 },
    { interface: "eth0", gateway: "10.0.2.2", metric: 1002 },
  ]);
  expect(parseDefaultRoutes("")).toEqual([]);
});
