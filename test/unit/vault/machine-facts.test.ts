import { expect, test } from "vitest";
import { machineFacts } from "../../../src/vault/machine-facts.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";

const link = (name: string, mac: string, isPhysical = true) => ({
  name,
  mac,
  isPhysical,
  index: 1,
  isUp: true,
  hasCarrier: true,
});

const facts = (links: ReturnType<typeof link>[], files: Record<string, string> = {}) =>
  machineFacts({
    files: new MemoryFiles(files),
    links: { list: () => links },
    version: "1",
    overlayId: () => "0123456789",
  });

test("only physical interfaces count, each address once", () => {
  const macs = facts([
    link("eth0", "52:54:00:00:00:01"),
    link("br0", "52:54:00:00:00:09", false),
    link("eth1", "52:54:00:00:00:02"),
    link("eth2", "52:54:00:00:00:02"),
    link("ib0", ""),
    link("eth3", "00:00:00:00:00:00"),
  ]).macs;
  expect(macs).toEqual(["52:54:00:00:00:01", "52:54:00:00:00:02"]);
});

test("a member of a bond is known by its own address, not by that of the bond", () => {
  const own = { "/sys/class/net/eth1/bonding_slave/perm_hwaddr": "52:54:00:00:00:0B\n" };
  const links = [link("eth0", "52:54:00:00:00:0a"), link("eth1", "52:54:00:00:00:0a")];
  expect(facts(links, own).macs).toEqual(["52:54:00:00:00:0a", "52:54:00:00:00:0b"]);
});

test("what the firmware says is one short line each, empty where unknown", () => {
  const dmi = {
    "/sys/class/dmi/id/product_serial": "S\u001b1\n",
    "/sys/class/dmi/id/sys_vendor": `${"V".repeat(400)}\n`,
  };
  const { serial, vendor, product, overlayId } = facts([], dmi);
  expect({ serial, product, overlayId }).toEqual({
    serial: "S 1",
    product: "",
    overlayId: "0123456789",
  });
  expect(vendor).toHaveLength(256);
});
