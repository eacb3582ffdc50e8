import { expect, test } from "vitest";
import { parseBond, readBonds } from "../../../../src/sys/proc/bonds.ts";

const STATUS = `Ethernet Channel Bonding Driver: v6.12.0

Bonding Mode: load balancing (round-robin)
MII Status: up
MII Polling Interval (ms): 100

Slave Interface: eth1
MII Status: up
Permanent HW addr: 52:54:00:00:00:01

Slave Interface: eth2
details actor lacp pdu:
    system priority: 65535
802.3ad info
`;

test("a bond has one object for each section, the driver first, values as they stand", () => {
  expect(parseBond(STATUS)).toEqual([
    { "Ethernet Channel Bonding Driver": " v6.12.0" },
    {
      "Bonding Mode": " load balancing (round-robin)",
      "MII Status": " up",
      "MII Polling Interval (ms)": " 100",
    },
    {
      "Slave Interface": " eth1",
      "MII Status": " up",
      "Permanent HW addr": " 52:54:00:00:00:01",
    },
    {
      "Slave Interface": " eth2",
      "details actor lacp pdu": "",
      "    system priority": " 65535",
    },
  ]);
});

test("an empty status has no sections", () => {
  expect(parseBond("\n\n")).toEqual([]);
});

test("a kernel without bonding is an error", async () => {
  await expect(readBonds("/proc/no-such-directory")).rejects.toMatchObject({ code: "E_BONDING" });
});
