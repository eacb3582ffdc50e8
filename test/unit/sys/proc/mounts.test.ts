import { expect, test } from "vitest";
import { parseDeviceTypes, parseMounts } from "../../../../src/sys/proc/mounts.ts";

test("keeps only the types that need a device", () => {
  const types = parseDeviceTypes("nodev\tsysfs\n\text4\nnodev\toverlay\n\tbtrfs\n");
  expect([...types]).toStrictEqual(["ext4", "btrfs"]);
});

test("takes device, mount point, type and options from each line", () => {
  expect(parseMounts("/dev/vda1 / ext4 rw,relatime 0 0\n")).toStrictEqual([
    { device: "/dev/vda1", mountpoint: "/", fstype: "ext4", opts: "rw,relatime" },
  ]);
});

test("decodes blanks, backslashes and hashes of names", () => {
  const [mount] = parseMounts("/dev/sd\\134a /mnt/a\\040b\\043c ext4 rw 0 0\n");
  expect(mount).toMatchObject({ device: "/dev/sd\\a", mountpoint: "/mnt/a b#c" });
});
