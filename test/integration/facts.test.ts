import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, release, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";

import { UsageMeter, withDescendants } from "../../src/sys/proc/usage.ts";

/**
 * Facts compared with what the real tools say, in a network namespace of the test's own that holds a
 * running pair of links, one without carrier and one that is down.
 */
const NAMESPACE = `node0-facts-${process.pid}`;
const RUNNER = join(import.meta.dirname, "../fixtures/proc/run-command.ts");
const isRoot = process.getuid?.() === 0;

interface Outcome {
  readonly result?: unknown;
  readonly code?: number;
  readonly message?: string;
}

interface IpLink {
  readonly operstate: string;
  readonly addr_info: readonly { readonly local: string }[];
}

const run = promisify(execFile);

async function inNamespace(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run("ip", ["netns", "exec", NAMESPACE, program, ...args]);
  return stdout;
}

/** Runs a built-in inside the namespace. */
async function call(file: string, args: unknown = {}): Promise<Outcome> {
  const text = await inNamespace(process.execPath, [RUNNER, file, JSON.stringify(args)]);
  return JSON.parse(text) as Outcome;
}

async function resultOf<T>(file: string, args: unknown = {}): Promise<T> {
  const { result, message } = await call(file, args);
  expect(message).toBeUndefined();
  return result as T;
}

const ip = (...args: string[]): Promise<string> => inNamespace("ip", args);

beforeAll(async () => {
  if (!isRoot) return;
  await run("ip", ["netns", "add", NAMESPACE]);
  await ip("link", "set", "lo", "up");
  await ip("link", "add", "one", "mtu", "1400", "type", "veth", "peer", "name", "two");
  await ip("link", "add", "alone", "type", "veth", "peer", "name", "asleep");
  await ip("address", "add", "192.0.2.1/24", "dev", "one", "label", "one:a");
  await ip("address", "add", "198.51.100.7/32", "dev", "alone");
  await ip("address", "add", "203.0.113.9/28", "dev", "asleep");
  await ip("address", "add", "2001:db8::1/64", "dev", "one", "nodad");
  for (const name of ["one", "two", "alone"]) await ip("link", "set", name, "up");
  // The kernel notices a carrier, and takes a link-local address, in its own time.
  await vi.waitFor(async () => {
    const links = JSON.parse(await ip("-json", "address", "show", "up")) as IpLink[];
    const ready = links.filter(({ operstate, addr_info: addresses }) => {
      return operstate === "UP" && addresses.some(({ local }) => local.startsWith("fe80::"));
    });
    expect(ready).toHaveLength(2);
  }, 10_000);
});

afterAll(async () => {
  if (isRoot) await run("ip", ["netns", "delete", NAMESPACE]);
});

describe.skipIf(!isRoot)("facts (needs root for a network namespace)", () => {
  test("info.cpu lists as many processors as the kernel runs, with its words", async () => {
    const cpus = await resultOf<Record<string, unknown>[]>("info/cpu.ts");
    const text = readFileSync("/proc/cpuinfo", "utf8");
    const first = (key: string) => new RegExp(`^${key}\\s*: (.*)$`, "m").exec(text)?.[1] ?? "";
    expect(cpus).toHaveLength(text.match(/^processor\s*:/gm)?.length ?? 0);
    expect(cpus.map(({ cpu }) => cpu)).toStrictEqual(cpus.map((_cpu, index) => index));
    expect(cpus[0]).toMatchObject({ modelName: first("model name"), coreId: first("core id") });
  });

  test("info.mem agrees with the kernel on what does not move", async () => {
    const memory = await resultOf<Record<string, number>>("info/mem.ts");
    const total = /^MemTotal:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    expect(memory["total"]).toBe(Number(total) * 1024);
    expect(memory["free"]).toBeLessThan(memory["total"] ?? 0);
    expect(Object.values(memory).every(Number.isFinite)).toBe(true);
  });

  test("info.os agrees with the kernel", async () => {
    const os = await resultOf<Record<string, unknown>>("info/os.ts");
    const bootTime = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
    expect(os).toMatchObject({
      hostname: hostname(),
      kernelVersion: release(),
      os: "linux",
    });
    expect(Math.abs(Number(os["bootTime"]) - bootTime)).toBeLessThanOrEqual(1);
    expect(os["hostid"]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const uptime = Number.parseInt(readFileSync("/proc/uptime", "utf8"), 10);
    expect(Math.abs(Number(os["uptime"]) - uptime)).toBeLessThan(60);
  });

  test("info.disk lists every mount of a real device and no other", async () => {
    const mounts = await resultOf<{ mountpoint: string; fstype: string }[]>("info/disk.ts");
    const text = await inNamespace("findmnt", [
      "--json",
      "--real",
      "--list",
      "--output",
      "TARGET,FSTYPE",
    ]);
    const known = JSON.parse(text) as { filesystems: { target: string; fstype: string }[] };
    const real = known.filesystems.filter(({ fstype }) => /^(ext|xfs|btrfs|vfat)/.test(fstype));
    const targets = mounts.map(({ mountpoint }) => mountpoint);
    expect(targets).toEqual(expect.arrayContaining(real.map(({ target }) => target)));
    expect(mounts.filter(({ fstype }) => /^(proc|sysfs|tmpfs|cgroup2?)$/.test(fstype))).toEqual([]);
  });

  describe("info.nic", () => {
    interface Nic {
      name: string;
      addrs: { addr: string }[];
      [key: string]: unknown;
    }

    test("shows every link by kernel index, with the addresses of those that do not run", async () => {
      const nics = await resultOf<Nic[]>("info/nic.ts");
      const links = JSON.parse(await ip("-json", "link", "show")) as { ifname: string }[];
      expect(nics.map(({ name }) => name)).toStrictEqual(links.map(({ ifname }) => ifname));
      const nic = (wanted: string) => nics.find(({ name }) => name === wanted);
      expect(nic("lo")).toMatchObject({
        hardwareaddr: "",
        flags: ["up", "loopback"],
        addrs: [{ addr: "127.0.0.1/8" }, { addr: "::1/128" }],
        operstate: false,
      });
      expect(nic("one")).toMatchObject({
        mtu: 1400,
        flags: ["up", "broadcast", "multicast"],
        speed: 10000,
        carrier: true,
        operstate: true,
      });
      expect(nic("one")?.addrs.map(({ addr }) => addr)).toEqual(
        expect.arrayContaining(["192.0.2.1/24", "2001:db8::1/64"]),
      );
      expect(nic("alone")).toMatchObject({ carrier: false, operstate: false });
      expect(nic("alone")?.addrs).toStrictEqual([{ addr: "198.51.100.7/32" }]);
      expect(nic("asleep")).toMatchObject({ flags: ["broadcast", "multicast"], carrier: false });
      expect(nic("asleep")?.addrs).toStrictEqual([{ addr: "203.0.113.9/28" }]);
    });

    test("shows its own namespace where /sys belongs to another", async () => {
      const direct = [`--net=/run/netns/${NAMESPACE}`, process.execPath, RUNNER, "info/nic.ts"];
      const { stdout } = await run("nsenter", direct);
      const { result } = JSON.parse(stdout) as { result: Nic[] };
      expect(result.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["one", "two", "asleep"]),
      );
    });

    test("says the same of running links without iproute2", async () => {
      const node = ["PATH=/nowhere", process.execPath, RUNNER, "info/nic.ts"];
      const { result } = JSON.parse(await inNamespace("env", node)) as { result: Nic[] };
      const running = (nics: Nic[]) => nics.filter(({ carrier }) => carrier === true);
      expect(running(result)).toStrictEqual(running(await resultOf<Nic[]>("info/nic.ts")));
      expect(result.map(({ name }) => name)).toContain("asleep");
    });
  });

  test("info.port lists listening sockets in the order of the tables, with their owner", async () => {
    const directory = mkdtempSync(join(tmpdir(), "node0-facts-"));
    const path = join(directory, "a socket");
    const script = `
      const net = require("node:net"), dgram = require("node:dgram");
      const open = (server, ...args) => new Promise((done) => server.listen(...args, done));
      (async () => {
        await open(net.createServer(), 7001, "127.0.0.1");
        await open(net.createServer(), 7002, "2001:db8::1");
        await new Promise((done) => dgram.createSocket("udp4").bind(7003, "127.0.0.1", done));
        await open(net.createServer(), ${JSON.stringify(path)});
        console.log("ready");
      })();`;
    const owner = spawn("ip", ["netns", "exec", NAMESPACE, process.execPath, "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => {
      owner.kill("SIGKILL");
      rmSync(directory, { recursive: true });
    });
    await new Promise((done) => owner.stdout.once("data", done));

    const { pid } = owner;
    expect(await resultOf("info/port.ts")).toStrictEqual([
      { network: "tcp", port: 7001, ip: "127.0.0.1", pid },
      { network: "tcp6", port: 7002, ip: "2001:db8::1", pid },
      { network: "udp", port: 7003, ip: "127.0.0.1", pid },
      { network: "unix", unix: path, pid },
    ]);
  });

  describe("info.dmi", () => {
    /** Puts a decoder of the test's own in front of `PATH`. */
    async function withDecoder(script: string, types: unknown): Promise<Outcome> {
      const directory = mkdtempSync(join(tmpdir(), "node0-facts-"));
      onTestFinished(() => rmSync(directory, { recursive: true }));
      writeFileSync(join(directory, "dmidecode"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const args = [RUNNER, "info/dmi.ts", JSON.stringify({ types })];
      const { stdout } = await run(process.execPath, args, {
        env: { PATH: `${directory}:/usr/bin:/bin` },
      });
      return JSON.parse(stdout) as Outcome;
    }

    test("passes types and keywords on and returns the parsed tables", async () => {
      const fixture = join(import.meta.dirname, "../fixtures/proc/dmidecode.txt");
      const script = `printf '# args %s\\n' "$*"; cat ${fixture}`;
      const { result } = await withDecoder(script, ["bios", 4]);
      expect(result).toMatchObject({
        tooling: { aggregator: "args --type=bios --type=4" },
        sections: [{ typestr: "BIOS" }, { typenum: 10 }, { typenum: 28 }, {}, {}],
      });
    });

    test("a failing decoder gives its own code and both of its outputs", async () => {
      const outcome = await withDecoder("echo out; echo err >&2; exit 3", []);
      expect(outcome).toStrictEqual({ code: 1003, message: "(ERROR): [out\n err\n]" });
    });

    test("a missing decoder is code 404", async () => {
      const directory = mkdtempSync(join(tmpdir(), "node0-facts-"));
      onTestFinished(() => rmSync(directory, { recursive: true }));
      symlinkSync(process.execPath, join(directory, "node"));
      const { stdout } = await run(process.execPath, [RUNNER, "info/dmi.ts"], {
        env: { PATH: directory },
      });
      expect(JSON.parse(stdout)).toMatchObject({ code: 404 });
    });
  });

  describe("processes", () => {
    test("process.list tells of one process what the kernel tells", async () => {
      const child = spawn("sleep", ["1000"], { stdio: "ignore" });
      onTestFinished(() => void child.kill("SIGKILL"));
      await new Promise((done) => child.once("spawn", done));
      const { pid = 0 } = child;
      const rows = await resultOf<Record<string, unknown>[]>("process/list.ts", { pid });
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        pid,
        ppid: process.pid,
        cmdline: "sleep 1000",
        name: "sleep",
      });
      expect(rows[0]?.["rlimit"]).toHaveLength(16);
      const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
        encoding: "utf8",
      });
      const difference = Number(rows[0]?.["createtime"]) - Date.parse(started);
      expect(Math.abs(difference)).toBeLessThan(2000);
    });

    test("process.list without a pid lists processes by pid, itself among them", async () => {
      const rows = await resultOf<{ pid: number; cmdline: string }[]>("process/list.ts", {
        pid: null,
      });
      const pids = rows.map(({ pid }) => pid);
      expect(pids).toStrictEqual([...pids].sort((a, b) => a - b));
      expect(pids).toContain(process.pid);
      expect(rows.some(({ cmdline }) => cmdline.includes("run-command.ts process/list.ts"))).toBe(
        true,
      );
    });

    test("process.list does not take a thread for a process", async () => {
      const [thread] = execFileSync("ls", [`/proc/${process.pid}/task`], { encoding: "utf8" })
        .split("\n")
        .map(Number)
        .filter((id) => id !== 0 && id !== process.pid);
      expect(thread).toBeGreaterThan(0);
      expect(await resultOf("process/list.ts", { pid: thread })).toStrictEqual([]);
    });

    test("process.kill delivers the signal", async () => {
      const child = spawn("sleep", ["1000"], { stdio: "ignore" });
      await new Promise((done) => child.once("spawn", done));
      const ended = new Promise((done) => child.once("exit", (_code, signal) => done(signal)));
      expect(await resultOf("process/kill.ts", { pid: child.pid, signal: 10 })).toBeNull();
      expect(await ended).toBe("SIGUSR1");
    });

    test("core.state follows a job to the processes it started", async () => {
      const child = spawn("sh", ["-c", "sleep 1000 & echo $!; wait"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      const grandchild = Number(await new Promise((done) => child.stdout.once("data", done)));
      onTestFinished(() => void process.kill(grandchild, "SIGKILL"));
      const pids = await withDescendants([child.pid ?? 0]);
      expect([...pids].sort((a, b) => a - b)).toStrictEqual([child.pid, grandchild]);
      const usage = await new UsageMeter().measure(pids, 0);
      expect(usage.rss).toBeGreaterThan((await new UsageMeter().measure([grandchild], 0)).rss);
    });

    test("core.state covers the agent itself", async () => {
      const state = await resultOf<Record<string, number>>("core/state.ts");
      expect(Object.keys(state)).toStrictEqual(["cpu", "rss", "vms", "swap"]);
      expect(state["rss"]).toBeGreaterThan(1024 * 1024);
      expect(state["cpu"]).toBe(0);
    });
  });
});
