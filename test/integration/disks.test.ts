import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync, symlinkSync, unlinkSync } from "node:fs";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { JobResult } from "../../src/job/types.ts";
import { tryProgram } from "../../src/storage/program.ts";
import { HostAgent } from "./cli-agent.ts";
import { DiskLab, missingForDisks } from "./support/loop-disk.ts";

const missing = missingForDisks();
if (missing !== undefined) console.log(`disks are skipped: ${missing}`);

const MIB = 1024 * 1024;

describe.skipIf(missing !== undefined)("disks", () => {
  const agent = new HostAgent();
  let redis: Redis;
  let lab: DiskLab;
  beforeAll(async () => {
    await agent.start();
    const password = readFileSync(agent.passwordFile, "utf8").trim();
    redis = new Redis({ host: "127.0.0.1", port: agent.port, password, commandTimeout: 30_000 });
  });
  afterAll(async () => {
    redis?.disconnect();
    await agent.stop();
  });
  beforeEach(() => {
    lab = new DiskLab();
  });
  afterEach(() => lab.close());

  const call = async (command: string, args: unknown = {}): Promise<JobResult> => {
    const id = randomUUID();
    await redis.rpush("core:default", JSON.stringify({ id, command, arguments: args }));
    const result = await redis.brpoplpush(`result:${id}`, `result:${id}`, 30);
    return JSON.parse(result ?? "no result");
  };
  /** The value of a built-in that succeeds. */
  const value = async (name: string, args: unknown = {}) => {
    const result = await call(name, args);
    expect(result).toMatchObject({ state: "SUCCESS", level: 20 });
    return JSON.parse(result.data);
  };
  /** A program that succeeds: no data, level 0. */
  const succeed = async (name: string, args: unknown) => {
    const result = await call(name, args);
    expect(result).toMatchObject({ state: "SUCCESS", level: 0, code: 0, data: "" });
  };
  /** A program that is refused before it starts. */
  const refuse = async (name: string, args: unknown, reason: RegExp) => {
    const result = await call(name, args);
    expect(result).toMatchObject({ state: "ERROR", level: 0, code: 1001, data: "" });
    expect(result.streams?.[1]).toMatch(reason);
  };
  const partitions = (disk: string): string[] =>
    lab
      .run("lsblk", "-rno", "NAME,TYPE", disk)
      .split("\n")
      .filter((line) => line.endsWith("part"));

  test("a table and partitions are written, listed and deleted", async () => {
    const disk = lab.disk();
    const name = disk.replace("/dev/", "");
    await succeed("disk.mktable", { disk: name, table_type: "gpt" });
    expect(lab.run("blkid", "-p", "-s", "PTTYPE", "-o", "value", disk)).toBe("gpt\n");
    await succeed("disk.mkpart", { disk: name, start: "1MiB", end: "65MiB", part_type: "primary" });
    await succeed("disk.mkpart", { disk, start: 100, end: "100%", part_type: "primary" });
    expect(partitions(disk)).toHaveLength(2);
    const shown = lab.run("parted", "-m", "-s", disk, "unit", "B", "print", "free");
    const free = shown.split("\n").flatMap((line) => {
      const [, start, end, size] = /^1:(\d+)B:(\d+)B:(\d+)B:free;$/.exec(line) ?? [];
      return start === undefined ? [] : [[Number(start), Number(end), Number(size)]];
    });
    expect(free.length).toBeGreaterThan(1);
    const whole = await value("disk.getinfo", { disk: name });
    expect(whole).toMatchObject({
      ...{ name, kname: name, type: "loop", ro: "0", rm: "0", mountpoint: null, "log-sec": "512" },
      ...{ start: 0, end: 256 * MIB - 1, size: 256 * MIB, blocksize: 512, table: "gpt" },
    });
    expect(whole.free).toEqual(free.map(([start, end, size]) => ({ start, end, size })));
    expect(whole.children.map((child: { size: string }) => child.size)).toEqual(["64M", "160M"]);
    const part = await value("disk.getinfo", { disk: name, part: `${name}p1` });
    expect(part).toMatchObject({
      start: MIB,
      end: 65 * MIB - 1,
      table: "",
      free: [],
      type: "part",
    });
    expect(part.partuuid).toBe(
      lab.run("blkid", "-p", "-s", "PART_ENTRY_UUID", "-o", "value", `${disk}p1`).trim(),
    );
    await succeed("disk.rmpart", { disk: name, number: 1 });
    expect(partitions(disk)).toEqual([`${name}p2 part`]);
    const left = await call("disk.rmpart", { disk: name, number: 7 });
    expect(left).toMatchObject({ state: "ERROR", code: 1001 });
    expect(left.streams?.[1]).toMatch(/Partition doesn't exist/);
  });

  test("what is on a disk is listed, also behind one with nothing on it", async () => {
    const [empty, full] = [lab.disk(), lab.disk()];
    lab.run("mkfs.ext4", "-q", "-L", 'it"s a \\', full);
    const listed: { kname: string; label: string; fstype: string }[] = await value("disk.list");
    const found = [empty, full].map((path) => listed.find(({ kname }) => path.endsWith(kname)));
    expect(found.map((one) => [one?.fstype, one?.label])).toEqual([
      [null, null],
      ["ext4", 'it"s a \\'],
    ]);
  });

  test("every column of the listing is a text or null, sizes are numbers", async () => {
    const disk = lab.disk();
    const listed: Record<string, unknown>[] = await value("disk.list");
    const row = listed.find((one) => one["kname"] === disk.replace("/dev/", ""));
    const { size, start, end, blocksize, free, children, ...columns } = row ?? {};
    expect({ size, start, end, blocksize, free, children }).toEqual({
      ...{ size: 0, start: 0, end: 0, blocksize: 512, free: null, children: undefined },
    });
    expect(Object.keys(columns)).toHaveLength(44);
    for (const text of Object.values(columns))
      expect(text === null || typeof text === "string").toBe(true);
    const names = lab.run("lsblk", "-rndo", "KNAME", "-e", "1,2").trim().split("\n");
    expect(listed.map((one) => one["kname"]).toSorted()).toEqual(names.toSorted());
    for (const one of listed.filter(({ type }) => type === "disk")) {
      const bytes = lab.run("lsblk", "-bdno", "SIZE", `/dev/${one["kname"]}`).trim();
      expect([one["size"], one["end"]]).toEqual([Number(bytes), Math.max(0, Number(bytes) - 1)]);
    }
  });

  test("a number of a million and more is written with all its digits", async () => {
    const disk = lab.disk();
    await succeed("disk.mktable", { disk, table_type: "msdos" });
    const far = await call("disk.mkpart", {
      disk,
      start: 1_000_000,
      end: 2_000_000,
      part_type: "primary",
    });
    expect(far.streams?.[1]).toMatch(/outside of the device|out of range/i);
    expect(far.streams?.[1]).not.toMatch(/1e\+06|Invalid number/);
  });

  test("a device is mounted and unmounted, by device and by directory", async () => {
    const disk = lab.disk();
    lab.run("mkfs.btrfs", "-q", disk);
    const target = lab.mountpoint();
    await succeed("disk.mount", { options: "ro,noatime", source: disk, target });
    const [mount] = JSON.parse(lab.run("findmnt", "-J", target)).filesystems;
    expect(mount).toMatchObject({ source: disk, fstype: "btrfs" });
    expect(mount.options).toMatch(/^ro,noatime/);
    const { [disk]: entries } = await value("disk.mounts");
    expect(entries).toEqual([
      {
        mountpoint: target,
        filesystem: "btrfs",
        options: expect.objectContaining({ ro: "1", noatime: "1", subvol: "/" }),
      },
    ]);
    await succeed("disk.umount", { source: disk });
    expect(() => lab.run("findmnt", target)).toThrow();
    await succeed("disk.mount", { options: "", source: disk, target });
    await succeed("disk.umount", { source: target });
    expect(() => lab.run("findmnt", target)).toThrow();
    for (const source of ["/", "/proc", target, disk, "/dev/null", "-a", "--all", "relative"]) {
      await refuse("disk.umount", { source }, /^Cannot (unmount|use source)/);
    }
    expect(readFileSync("/proc/uptime", "utf8")).not.toBe("");
  });

  describe("a disk in use is refused", () => {
    /** Signatures and partitions; a mounted file system changes the rest of the disk by itself. */
    const contents = (disk: string) => lab.run("wipefs", "-n", disk) + partitions(disk).join();
    /** Nothing that writes is let near the disk, and what is on it stays. */
    const untouched = async (disk: string, reason: RegExp): Promise<void> => {
      const before = contents(disk);
      await refuse("disk.mktable", { disk, table_type: "gpt" }, reason);
      await refuse(
        "disk.mkpart",
        { disk, start: "1MiB", end: "9MiB", part_type: "primary" },
        reason,
      );
      await refuse("disk.rmpart", { disk, number: 1 }, reason);
      const made = await call("btrfs.create", { devices: [disk], overwrite: true });
      expect(made).toMatchObject({ state: "ERROR", level: 20, code: 500 });
      expect(JSON.parse(made.data)).toMatch(reason);
      expect(contents(disk)).toBe(before);
    };

    test("mounted as a whole, as a member of a btrfs, and by another mount namespace", async () => {
      const [first, second, other] = [lab.disk(), lab.disk(), lab.disk()];
      lab.run("mkfs.btrfs", "-q", "-d", "raid1", "-m", "raid1", first, second);
      lab.run("mount", first, lab.mountpoint());
      await untouched(first, /is mounted on|belongs to the mounted btrfs/);
      await untouched(second, /belongs to the mounted btrfs/);
      lab.run("mkfs.ext4", "-q", other);
      const script = 'mount "$0" "$1" && echo mounted && exec sleep 1000';
      const args = ["-m", "--propagation", "private", "sh", "-c", script, other, lab.mountpoint()];
      const hidden = spawn("unshare", args, { stdio: ["ignore", "pipe", "inherit"] });
      try {
        await once(hidden.stdout, "data");
        expect(lab.run("cat", "/proc/mounts")).not.toContain(other);
        await untouched(other, /is mounted on/);
      } finally {
        hidden.kill("SIGKILL");
        await once(hidden, "exit");
      }
      // The kernel takes the mount down after its last process.
      await expect
        .poll(() => call("disk.mktable", { disk: other, table_type: "gpt" }))
        .toMatchObject({ state: "SUCCESS" });
    });

    test("one of its partitions is mounted, or is swap", async () => {
      const disk = lab.disk();
      lab.run(
        "parted",
        "-s",
        disk,
        "mktable",
        "gpt",
        "mkpart",
        "a",
        "1MiB",
        "100MiB",
        "mkpart",
        "b",
        "100MiB",
        "200MiB",
      );
      lab.run("mkfs.ext4", "-q", `${disk}p1`);
      const target = lab.mountpoint();
      lab.run("mount", `${disk}p1`, target);
      await untouched(disk, /p1 is mounted on/);
      lab.run("umount", target);
      lab.run("mkswap", `${disk}p2`);
      lab.run("swapon", `${disk}p2`);
      try {
        await untouched(disk, /p2 is used as swap/);
        await refuse("disk.mount", { options: "", source: `${disk}p2`, target }, /used as swap/);
      } finally {
        lab.run("swapoff", `${disk}p2`);
      }
      await succeed("disk.rmpart", { disk, number: 2 });
    });

    test("it is behind a loop device", async () => {
      const disk = lab.disk();
      const loop = lab.run("losetup", "-f", "--show", disk).trim();
      lab.later(() => lab.run("losetup", "-d", loop));
      await untouched(disk, /is behind loop\d+/);
      await refuse(
        "disk.mount",
        { options: "", source: disk, target: lab.mountpoint() },
        /is behind/,
      );
    });

    test("it is protected, which its partition UUID is enough for", async () => {
      const disk = lab.disk();
      lab.run("parted", "-s", disk, "mktable", "gpt", "mkpart", "a", "1MiB", "200MiB");
      lab.run("mkfs.ext4", "-q", `${disk}p1`);
      const uuid = lab
        .run("blkid", "-p", "-s", "PART_ENTRY_UUID", "-o", "value", `${disk}p1`)
        .trim();
      expect(await value("disk.protect", { partuuid: "00000000-no-match" })).toBe(null);
      expect(lab.run("blockdev", "--getro", disk)).toBe("0\n");
      expect(await call("disk.protect", {})).toMatchObject({ code: 500 });
      lab.later(() => lab.run("blockdev", "--setrw", disk, `${disk}p1`));
      expect(await value("disk.protect", { partuuid: uuid.toUpperCase() })).toBe(null);
      expect(lab.run("lsblk", "-rno", "RO", disk)).toBe("1\n1\n");
      await untouched(disk, /is protected/);
      await untouched(`${disk}p1`, /is protected|is a partition of/);
      const target = lab.mountpoint();
      await refuse("disk.mount", { options: "rw", source: `${disk}p1`, target }, /is protected/);
      await succeed("disk.mount", { options: "ro", source: `${disk}p1`, target });
    });
  });

  test("a program that cannot even be killed is given up, and not started again meanwhile", async () => {
    const disk = lab.disk();
    lab.run("mkfs.ext4", "-q", disk);
    const target = lab.mountpoint();
    lab.run("mount", disk, target);
    const touch = () => tryProgram("touch", [`${target}/file`], 100);
    lab.run("fsfreeze", "-f", target);
    try {
      expect(await touch()).toMatchObject({ status: null, stderr: "no end after 100 ms" });
      expect((await touch()).stderr).toMatch(/still waits/);
    } finally {
      lab.run("fsfreeze", "-u", target);
    }
    await expect.poll(touch).toMatchObject({ status: 0 });
  });

  test("names that are no block device below /dev are refused, and nothing runs", async () => {
    const disk = lab.disk();
    const name = disk.replace("/dev/", "");
    const link = `/dev/node0-test-${process.pid}`;
    const names: unknown[] = [
      ...[
        "",
        "-",
        "--version",
        "-s",
        ".",
        "..",
        "../dev/sda",
        `../dev/${name}`,
        `/dev/../dev/${name}`,
      ],
      ...[`/dev//${name}`, `/dev/./${name}`, `${name}/`, ` ${name}`, `${name} `, `${name}\n`],
      ...[`${name}\0`, `${name};reboot`, `$(reboot)`, "`reboot`", `${name} mktable gpt`, "*", "~"],
      ...["null", "zero", "tty", "fd/0", "stdin", "shm", "/etc/passwd", "/", "/dev", "{disk}"],
      ...["/proc/self/exe", "a".repeat(5000), 7, true, [name], { name }, null],
    ];
    for (const given of names) {
      await refuse("disk.mktable", { disk: given, table_type: "gpt" }, /^Cannot use device/);
    }
    for (const given of names.filter((one) => typeof one === "string")) {
      expect(await call("btrfs.create", { devices: [given], overwrite: true })).toMatchObject({
        code: 500,
      });
      expect(await call("disk.getinfo", { disk: given })).toMatchObject({ code: 500 });
      expect(await call("disk.seektime", { disk: given })).toMatchObject({ code: 500 });
      expect(await call("disk.isstandby", { disk: given })).toMatchObject({ code: 400 });
    }
    // A link is followed within /dev and no further.
    symlinkSync(lab.directory, link);
    lab.later(() => unlinkSync(link));
    await refuse("disk.mktable", { disk: link, table_type: "gpt" }, /leads out of \/dev/);
    await refuse(
      "disk.mktable",
      { disk: `${link}/disk0`, table_type: "gpt" },
      /leads out of \/dev/,
    );
    expect(lab.run("wipefs", disk)).toBe("");
    symlinkSync(`./shm/../${name}`, `${link}-2`);
    lab.later(() => unlinkSync(`${link}-2`));
    await succeed("disk.mktable", { disk: `${link}-2`, table_type: "gpt" });
    expect(lab.run("wipefs", "-nO", "TYPE", disk)).toContain("gpt");
  });

  test("other arguments that are more than they should be are refused", async () => {
    const disk = lab.disk();
    const target = lab.mountpoint();
    for (const kind of ["", "GPT", "-s", "gpt rm 1", "gpt\n", null, 1]) {
      await refuse("disk.mktable", { disk, table_type: kind }, /^Cannot use table_type/);
    }
    const part = { disk, start: "1MiB", end: "9MiB", part_type: "primary" };
    for (const start of ["", "1 MiB", "--help", "1;2", "1e+06", "0x10", "1\n", null, {}, 1e20]) {
      await refuse("disk.mkpart", { ...part, start }, /^Cannot use start/);
      await refuse("disk.mkpart", { ...part, end: start }, /^Cannot use end/);
    }
    await refuse("disk.mkpart", { ...part, part_type: "btrfs" }, /^Cannot use part_type/);
    for (const number of [0, -1, 1.5, "1", "1;2", null]) {
      await refuse("disk.rmpart", { disk, number }, /^Cannot use number/);
    }
    for (const path of ["", "mnt", "-t", "/a\nb", "/a\0b", 5]) {
      await refuse("disk.mount", { options: "", source: disk, target: path }, /^Cannot use target/);
    }
    for (const options of ["ro\n", "ro\0", "x".repeat(5000), 5]) {
      await refuse("disk.mount", { options, source: disk, target }, /^Cannot use options/);
    }
    const strange = await call("disk.mount", { options: "-t,--bind,$(id)", source: disk, target });
    expect(strange).toMatchObject({ state: "ERROR", level: 0 });
    expect(lab.run("wipefs", disk)).toBe("");
  });

  test("a btrfs is created, grown, shrunk and described", async () => {
    const [first, second] = [lab.disk(), lab.disk()];
    const label = "two words";
    expect(
      await value("btrfs.create", { label, data: "single", metadata: "single", devices: [first] }),
    ).toBe(null);
    expect(lab.run("blkid", "-p", "-s", "LABEL", "-o", "value", first).trim()).toBe(label);
    const uuid = lab.run("blkid", "-p", "-s", "UUID", "-o", "value", first).trim();
    expect(await value("disk.getinfo", { disk: first })).toMatchObject({
      fstype: "btrfs",
      label,
      uuid,
    });
    const again = await call("btrfs.create", { label, devices: [first] });
    expect(again).toMatchObject({ state: "ERROR", code: 1001 });
    const target = lab.mountpoint();
    lab.run("mount", first, target);
    expect(await value("btrfs.device_add", { mountpoint: target, devices: [second] })).toBe(null);
    expect(await call("btrfs.device_add", { mountpoint: target, devices: [second] })).toMatchObject(
      { code: 500 },
    );
    const info = await value("btrfs.info", { mountpoint: target });
    expect(info).toMatchObject({
      ...{ label, uuid, total_devices: 2, warnings: "" },
      devices: [
        { dev_id: 1, size: 256 * MIB, path: first },
        { dev_id: 2, size: 256 * MIB, path: second, used: 0 },
      ],
      data: { profile: "single", total: expect.any(Number), used: expect.any(Number) },
      system: { profile: "single" },
      metadata: { profile: "single" },
      globalreserve: { profile: "single" },
    });
    expect(info.data.total).toBeGreaterThan(0);
    const listed: { uuid: string }[] = await value("btrfs.list");
    const { data, system, metadata, globalreserve, ...same } = info;
    expect(listed.find((one) => one.uuid === uuid)).toEqual(same);
    expect(await value("btrfs.device_remove", { mountpoint: target, devices: [second] })).toBe(
      null,
    );
    expect(lab.run("btrfs", "filesystem", "show", target)).toMatch(/Total devices 1 /);
  });

  test("subvolumes are made, limited, copied, listed and deleted", async () => {
    const disk = lab.disk();
    lab.run("mkfs.btrfs", "-q", disk);
    const target = lab.mountpoint();
    lab.run("mount", disk, target);
    expect(await value("btrfs.subvol_create", { path: `${target}/one` })).toBe(null);
    expect(lab.run("stat", "-c", "%i", `${target}/one`)).toBe("256\n");
    const [before] = await value("btrfs.subvol_list", { path: target });
    expect(before).toEqual({
      ID: 256,
      Gen: expect.any(Number),
      TopLevel: 5,
      Path: "one",
      Quota: 0,
    });
    expect(await value("btrfs.subvol_quota", { path: `${target}/one`, limit: "10M" })).toBe(null);
    expect(() =>
      lab.run("dd", "if=/dev/urandom", `of=${target}/one/file`, "bs=1M", "count=20", "conv=fsync"),
    ).toThrow(/quota/i);
    await value("btrfs.subvol_snapshot", {
      source: `${target}/one`,
      destination: `${target}/copy`,
      read_only: true,
    });
    expect(() => lab.run("touch", `${target}/copy/file`)).toThrow(/Read-only/);
    const list: { Path: string; Quota: number }[] = await value("btrfs.subvol_list", {
      path: target,
    });
    expect(list.map(({ Path, Quota }) => [Path, Quota])).toEqual([
      ["one", 10 * MIB],
      ["copy", 10 * MIB],
    ]);
    await value("btrfs.subvol_quota", { path: `${target}/one`, limit: "none" });
    await value("btrfs.subvol_delete", { path: `${target}/one` });
    expect(() => lab.run("stat", `${target}/one`)).toThrow();
    for (const path of ["", "one", "-h", "/a\nb"]) {
      for (const name of ["subvol_create", "subvol_delete", "subvol_list"]) {
        expect(await call(`btrfs.${name}`, { path })).toMatchObject({ state: "ERROR", code: 500 });
      }
    }
    for (const limit of ["", "-1", "--help", "1M /", "e"]) {
      expect(await call("btrfs.subvol_quota", { path: target, limit })).toMatchObject({
        code: 500,
      });
    }
    expect(await call("btrfs.info", { mountpoint: "/proc" })).toMatchObject({ code: 1001 });
    for (const bad of [
      { devices: [] },
      { devices: [disk], data: "raid7" },
      { devices: [disk], label: "a/b" },
    ]) {
      expect(await call("btrfs.create", bad)).toMatchObject({ state: "ERROR", code: 500 });
    }
  });

  test("the time of a read is measured, and drives without answers give codes", async () => {
    const disk = lab.disk();
    const found = await value("disk.seektime", { disk: disk.replace("/dev/", "") });
    expect(found).toEqual({
      device: disk,
      elapsed: expect.any(Number),
      type: expect.stringMatching(/^(SSD|HDD)$/),
    });
    expect(found.elapsed).toBeGreaterThan(0);
    expect(await call("disk.seektime", { disk: 5 })).toMatchObject({ code: 400 });
    expect(await call("disk.spindown", { disk, spindown: 241 })).toMatchObject({ code: 400 });
    expect(await call("disk.spindown", { disk, spindown: -1 })).toMatchObject({ code: 500 });
    expect(await call("disk.spindown", { disk: "none", spindown: 1 })).toMatchObject({ code: 400 });
    const code = (await call("disk.smartctl-info", { device: disk })).code;
    expect(code === 404 || code > 1000).toBe(true);
  });
});
