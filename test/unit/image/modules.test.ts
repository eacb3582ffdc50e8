import { expect, test } from "vitest";
import {
  parseDependencies,
  parseModuleList,
  parseSoftDependencies,
  selectModules,
} from "../../../src/image/modules.ts";

const INDEX = {
  dependencies: parseDependencies(
    [
      "kernel/net/core/failover.ko.xz:",
      "kernel/drivers/net/net_failover.ko.xz: kernel/net/core/failover.ko.xz",
      "kernel/drivers/net/virtio_net.ko.xz: kernel/drivers/net/net_failover.ko.xz kernel/net/core/failover.ko.xz",
      "kernel/fs/btrfs/btrfs.ko.xz:",
      "kernel/arch/x86/crypto/crc32c-intel.ko.xz:",
      "kernel/drivers/net/virtio_net_extra.ko.xz:",
    ].join("\n"),
  ),
  soft: parseSoftDependencies("# comment\nsoftdep btrfs pre: crc32c-intel post: absent\n"),
  builtIn: ["kernel/fs/ext4/ext4.ko"],
};

test("a listed module brings everything it needs, and nothing of a similar name", () => {
  expect(selectModules(["drivers/net/virtio_net"], INDEX)).toEqual([
    "kernel/drivers/net/net_failover.ko.xz",
    "kernel/drivers/net/virtio_net.ko.xz",
    "kernel/net/core/failover.ko.xz",
  ]);
});

test("a directory takes all of its modules, and their soft dependencies that exist", () => {
  expect(selectModules(["fs/btrfs/"], INDEX)).toEqual([
    "kernel/arch/x86/crypto/crc32c-intel.ko.xz",
    "kernel/fs/btrfs/btrfs.ko.xz",
  ]);
});

test("what is built into the kernel needs no module", () => {
  expect(selectModules(["fs/ext4/"], INDEX)).toEqual([]);
});

test("a pattern that matches nothing is an error that names it", () => {
  expect(() => selectModules(["drivers/net/virtoi_net"], INDEX)).toThrow(/virtoi_net/);
});

test("comments and empty lines of a list do not count", () => {
  expect(parseModuleList("# cards\n\ndrivers/net/tun # tunnels\n")).toEqual(["drivers/net/tun"]);
});
