import { expect, test } from "vitest";
import { cpuSamples } from "../../../src/stats/samplers/cpu.ts";
import { diskSamples } from "../../../src/stats/samplers/disk.ts";
import { memorySamples } from "../../../src/stats/samplers/memory.ts";
import { networkSamples } from "../../../src/stats/samplers/network.ts";
import type { Sample } from "../../../src/stats/types.ts";

/** `metric[/id] op value other=tags` */
const shown = (samples: readonly Sample[]) =>
  samples.map(({ metric, op, value, tags }) => {
    const all = Object.fromEntries(tags);
    expect(all["type"]).toBe("phys");
    const { id, type: _type, ...rest } = all;
    const others = Object.entries(rest).map(([name, text]) => ` ${name}=${text}`);
    return `${metric}${id === undefined ? "" : `/${id}`} ${op} ${value}${others.join("")}`;
  });

test("processors: busy seconds, percent of a second, counters", () => {
  const earlier = "cpu  0 0 0 0\ncpu0 100 20 80 700 50 10 20 20 5 0\ncpu1 0 0 0 100 0 0 0 0 0 0\n";
  const later =
    "cpu  0 0 0 0\ncpu0 125 20 105 740 60 10 20 20 5 0\ncpu1 0 0 0 100 0 0 0 0 0 0\n" +
    "intr 4321 1 2 3\nctxt 9876\nbtime 1\n";
  expect(shown(cpuSamples({ earlier, later, load: "0.5 0.4 0.3 2/345 6789\n" }))).toStrictEqual([
    "machine.CPU.utilisation/0 D 3",
    "machine.CPU.percent/0 A 50",
    "machine.CPU.utilisation/1 D 0",
    "machine.CPU.contextswitch D 9876",
    "machine.CPU.interrupts D 4321",
    "machine.process.threads A 345",
  ]);
});

test("memory: mebibytes", () => {
  const text =
    "MemTotal: 4096 kB\nMemAvailable:    1536 kB\nSwapTotal: 2048 kB\nSwapFree: 512 kB\n";
  expect(shown(memorySamples(text))).toStrictEqual([
    "machine.memory.ram.available A 1.5",
    "machine.memory.swap.left A 0.5",
    "machine.memory.swap.used A 1.5",
  ]);
  expect(memorySamples("")).toStrictEqual([]);
});

test("disks: operations and kibibytes; what was never used has none", () => {
  const text =
    "   8       0 sda 10 1 2000 5 20 2 4000 6 0 7 8 0 0 0 0\n   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n\n";
  expect(shown(diskSamples(text))).toStrictEqual([
    "disk.iops.read/sda D 10",
    "disk.iops.write/sda D 20",
    "disk.throughput.read/sda D 1000",
    "disk.throughput.write/sda D 2000",
  ]);
});

const DEV = [
  "Inter-|   Receive                                                |  Transmit",
  " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs",
  "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0",
  "  eth0:1048576 20 0 0 0 0 0 0 2097152 30 0 0 0 0 0 0",
  " contm1: 0 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0",
  "",
].join("\n");

test("links: mebibytes and packets, with their kind", () => {
  const links = [
    { name: "lo", kind: "device" },
    { name: "eth0", kind: "device" },
    { name: "contm1", kind: "veth" },
    { name: "gone", kind: "device" },
  ];
  expect(shown(networkSamples(DEV, links))).toStrictEqual([
    "network.throughput.outgoing/eth0 D 2 kind=device",
    "network.throughput.incoming/eth0 D 1 kind=device",
    "network.packets.tx/eth0 D 30 kind=device",
    "network.packets.rx/eth0 D 20 kind=device",
    "network.throughput.outgoing/contm1 D 0 kind=veth",
    "network.throughput.incoming/contm1 D 0 kind=veth",
    "network.packets.tx/contm1 D 6 kind=veth",
    "network.packets.rx/contm1 D 5 kind=veth",
  ]);
});

test.each([
  ["bridge", "br0", true],
  ["openvswitch", "ovs0", true],
  ["openvswitch", "ovs-system", false],
  ["veth", "cont1-0", false],
  ["veth", "contm1-0", true],
  ["tun", "zt0", false],
  ["vlan", "eth0.1", false],
])("a %s called %s is watched: %j", (kind, name, isWatched) => {
  const text = `${name}: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n`;
  expect(networkSamples(text, [{ name, kind }]).length > 0).toBe(isWatched);
});
