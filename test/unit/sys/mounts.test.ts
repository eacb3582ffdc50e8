import { expect, test } from "vitest";
import { parseMountInfo } from "../../../src/sys/mounts.ts";

test("the mount table is read with optional fields, escapes and read-only mounts", () => {
  const text = [
    "23 30 0:21 / /proc rw,nosuid shared:12 master:3 - proc proc rw",
    "24 30 0:22 / /mnt/a\\040b\\134c ro,relatime - squashfs /dev/loop0 ro",
    "nonsense",
    "",
  ].join("\n");
  expect(parseMountInfo(text)).toEqual([
    { mountpoint: "/proc", type: "proc", source: "proc", isReadOnly: false },
    { mountpoint: "/mnt/a b\\c", type: "squashfs", source: "/dev/loop0", isReadOnly: true },
  ]);
});
