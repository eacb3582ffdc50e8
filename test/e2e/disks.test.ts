import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureImage } from "../../scripts/machine/image.ts";
import type { JobResult } from "../../src/job/types.ts";
import { BOOT_LIMIT_MS, call, openClient, PASSWORD, ROOT, shell, startNode } from "./support.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const CACHE_LIMIT = { timeout: 60_000, interval: 500 };

let directory = "";
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "node0-disks-"));
  // Its time is not that of the tests.
  await ensureImage(ROOT);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A sparse file as a disk. */
function disk(name: string, bytes: number): string {
  const path = join(directory, name);
  writeFileSync(path, "");
  truncateSync(path, bytes);
  return path;
}

const host = (name: string, ...args: string[]): string =>
  execFileSync(name, args, {
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
    encoding: "utf8",
  });

/** What the host sees on a disk: signatures, label. */
const signatures = (path: string): string => host("wipefs", "-n", "--output", "TYPE,LABEL", path);

async function value(redis: Redis, command: string, args: object = {}) {
  const result = await call(redis, command, args);
  expect(result).toMatchObject({ state: "SUCCESS", level: 20 });
  return JSON.parse(result.data);
}

/** Clients learn of failures by an exception; what was refused is in its text. */
const refusal = async (answer: Promise<JobResult>): Promise<string> =>
  await answer.then(
    (result) => `${result.state} unexpected`,
    (error: Error) => error.message,
  );

test("disks are listed, divided, formatted, mounted and protected; only the marked one is the cache", async () => {
  const [first, second, cache] = [disk("a", 2 * GIB), disk("b", 3 * GIB), disk("cache", GIB)];
  host("mkfs.btrfs", "-q", "-L", "sp_zos-cache", cache);
  const drives = [
    ...[first, second, cache].map((path) => ({ path, bus: "virtio" as const })),
    { path: disk("sata", GIB), bus: "sata" as const },
  ];
  await using machine = await startNode({ drives });
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  const redis = openClient(machine);
  const run = (script: string) => shell(redis, script);

  await expect
    .poll(() => run("cat /proc/mounts"), CACHE_LIMIT)
    .toMatch(/^\/dev\/vdc \/var\/cache btrfs rw,nosuid,nodev,noatime/m);
  const disks: Record<string, unknown>[] = await value(redis, "disk.list");
  const shown = disks.filter((one) => one["type"] === "disk");
  expect(shown.map((one) => [one["name"], one["size"], one["table"], one["label"]])).toEqual(
    expect.arrayContaining([
      ["sda", GIB, "", null],
      ["vda", 2 * GIB, "", null],
      ["vdb", 3 * GIB, "", null],
      ["vdc", GIB, "loop", "sp_zos-cache"],
    ]),
  );

  await call(redis, "disk.mktable", { disk: "vda", table_type: "gpt" });
  await call(redis, "disk.mkpart", {
    disk: "vda",
    start: "1MiB",
    end: "1025MiB",
    part_type: "primary",
  });
  await call(redis, "disk.mkpart", {
    disk: "vda",
    start: "1025MiB",
    end: "100%",
    part_type: "primary",
  });
  expect(await run("cat /sys/block/vda/vda?/size")).toBe(
    `${GIB / 512}\n${(2 * GIB - 1026 * MIB) / 512}\n`,
  );
  const part = await value(redis, "disk.getinfo", { disk: "vda", part: "vda1" });
  expect(part).toMatchObject({
    start: MIB,
    end: 1025 * MIB - 1,
    type: "part",
    parttype: expect.any(String),
  });

  await run("mkfs.ext4 -q /dev/vda1 && mkdir /data /pool");
  await call(redis, "disk.mount", { options: "noexec", source: "/dev/vda1", target: "/data" });
  expect(await run("grep /data /proc/mounts")).toMatch(/^\/dev\/vda1 \/data ext4 rw,noexec/);
  expect(await refusal(call(redis, "disk.rmpart", { disk: "vda", number: 2 }))).toMatch(
    /vda1 is mounted on \/data/,
  );
  expect(await refusal(call(redis, "disk.mktable", { disk: "vdc", table_type: "gpt" }))).toMatch(
    /vdc (is mounted|belongs to)/,
  );

  // Made by hand: the image has no program for md.
  await run(
    "modprobe md_mod && echo md0 >/sys/module/md_mod/parameters/new_array && cd /sys/block/md0/md && " +
      "echo none >metadata_version && cat /sys/block/vdb/dev >new_dev && ls /sys/block/vdb/holders | grep md0",
  );
  expect(await refusal(call(redis, "disk.mktable", { disk: "vdb", table_type: "gpt" }))).toMatch(
    /vdb is used by md0/,
  );
  await run(
    "echo remove >/sys/block/md0/md/dev-vdb/state && ! grep . /sys/block/vdb/holders/*/dev",
  );
  const devices = ["/dev/vda2", "/dev/vdb"];
  await value(redis, "btrfs.create", { label: "pool", data: "raid1", metadata: "raid1", devices });
  await call(redis, "disk.mount", { options: "", source: "/dev/vdb", target: "/pool" });
  expect(await value(redis, "btrfs.info", { mountpoint: "/pool" })).toMatchObject({
    ...{ label: "pool", total_devices: 2, data: { profile: "RAID1" } },
  });
  await value(redis, "btrfs.subvol_create", { path: "/pool/one" });
  await value(redis, "btrfs.subvol_quota", { path: "/pool/one", limit: "10M" });
  expect(
    await run("dd if=/dev/urandom of=/pool/one/file bs=1M count=20 conv=fsync 2>&1 || true"),
  ).toMatch(/quota|No space/i);
  expect(await value(redis, "btrfs.subvol_list", { path: "/pool" })).toMatchObject([
    { Path: "one", Quota: 10 * MIB },
  ]);
  await call(redis, "disk.umount", { source: "/pool" });
  await call(redis, "disk.umount", { source: "/dev/vda1" });
  expect(await run("cat /proc/mounts")).not.toMatch(/vda|vdb|pool/);

  await value(redis, "disk.protect", { partuuid: part.partuuid });
  expect(await run("cat /sys/block/vda/ro /sys/block/vda/vda1/ro")).toBe("1\n1\n");
  expect(await refusal(call(redis, "disk.mktable", { disk: "vda", table_type: "msdos" }))).toMatch(
    /vda is protected/,
  );

  const drive = await value(redis, "disk.smartctl-info", { device: "/dev/sda" });
  expect(drive).toMatchObject({
    user_capacity: GIB,
    sector_size: 512,
    smart_support_available: true,
  });
  expect(drive.serial_number).not.toBe("");
  expect(await value(redis, "disk.smartctl-health", { device: "sda" })).toEqual({ passed: true });
  expect(await value(redis, "disk.isstandby", { disk: "/dev/sda" })).toBe(false);
  expect(await value(redis, "disk.spindown", { disk: "/dev/sda", spindown: 10 })).toBe(null);
  expect(await value(redis, "disk.seektime", { disk: "sda" })).toMatchObject({
    device: "/dev/sda",
    elapsed: expect.any(Number),
  });
  redis.disconnect();
  await machine.stop();
  expect(signatures(first)).toMatch(/gpt/);
  expect(signatures(second)).toMatch(/btrfs\s+pool/);
});

test("a cache disk is prepared when asked for, and never over a signature", async () => {
  const [empty, small, table, file, wiped] = [
    ...[disk("empty", 2 * GIB), disk("small", GIB), disk("table", 4 * GIB)],
    ...[disk("file", 5 * GIB), disk("wiped", 6 * GIB)],
  ];
  if (table === undefined || file === undefined || wiped === undefined) throw new Error("no disk");
  host("parted", "-s", table, "mktable", "msdos");
  host("mkfs.ext4", "-q", "-L", "mine", file);
  host("parted", "-s", wiped, "mktable", "gpt");
  host("dd", "if=/dev/zero", `of=${wiped}`, "bs=1M", "count=1", "conv=notrunc", "status=none");
  const before = [table, file].map(signatures);
  const paths = [table, file, wiped, empty, small].filter((path) => path !== undefined);
  await using machine = await startNode({
    drives: paths.map((path) => ({ path, bus: "virtio" as const })),
    files: [{ path: "/etc/node0/node0.toml", text: "[cache]\nprepare = true\n" }],
  });
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  const redis = openClient(machine);
  await expect
    .poll(() => shell(redis, "cat /proc/mounts"), CACHE_LIMIT)
    .toMatch(/^\/dev\/vdd \/var\/cache btrfs/m);
  await shell(redis, "echo kept >/var/cache/file; sync");
  redis.disconnect();
  await machine.stop();
  expect(signatures(empty ?? "")).toMatch(/btrfs\s+sp_zos-cache/);
  expect(signatures(small ?? "")).toBe("");
  expect([table, file].map(signatures)).toEqual(before);
  expect(host("tail", "-c", "512", wiped)).toContain("EFI PART");
});
