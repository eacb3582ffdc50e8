import { expect, test } from "vitest";
import { hostnameFromMac, prepareSystem, type SystemOptions } from "../../../src/boot/system.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const MOUNTS = ["/proc", "/sys", "/dev"]
  .map((path, at) => `${at + 20} 1 0:${at} / ${path} rw - fs fs rw\n`)
  .join("");

function machine(texts: Record<string, string> = {}) {
  const files = new MemoryFiles({
    "/proc/self/mountinfo": MOUNTS,
    "/proc/sys/kernel/panic": "0\n",
    "/proc/sys/kernel/printk": "7 4 1 7\n",
    "/sys/class/net/lo/flags": "0x8\n",
    "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids\n",
    ...texts,
  });
  const log = new QuietLog();
  const prepare = (
    hostname: string | null = null,
    isDebug = false,
    over: Partial<SystemOptions> = {},
  ): Promise<string> => {
    const mac = "52:54:00:12:34:56";
    const fixed = { files, log, mac, pid: 77, builtAtMs: null };
    return prepareSystem({ ...fixed, hostname, isDebug, ...over });
  };
  return { files, log, prepare };
}

test("host name, loopback, kernel settings and the cgroup tree are set", async () => {
  const { files, prepare } = machine();
  expect(await prepare()).toBe(
    "host name node0-525400123456, cgroup v2 with cpu, io, memory, pids",
  );
  expect(files.readText("/proc/sys/kernel/hostname")).toBe("node0-525400123456\n");
  expect(files.readText("/sys/class/net/lo/flags")).toBe("0x9");
  expect(files.readText("/proc/sys/kernel/panic")).toBe("10");
  expect(files.readText("/sys/fs/cgroup/cgroup.subtree_control")).toBe("+cpu +io +memory +pids");
  expect(files.readText("/sys/fs/cgroup/agent/cgroup.procs")).toBe("77");
  expect(files.directories.get("/run/node0")).toBe(0o700);
  for (const name of ["agent", "services", "jobs", "containers", "vms"]) {
    expect(files.exists(`/sys/fs/cgroup/${name}`)).toBe(true);
  }
});

test("a host name the machine was given before the agent restarted stays", async () => {
  const { files, prepare } = machine({ "/proc/sys/kernel/hostname": "node0-abcdef0123\n" });
  expect(await prepare()).toContain("host name node0-abcdef0123,");
  await prepare("store-7");
  expect(files.readText("/proc/sys/kernel/hostname")).toBe("store-7\n");
});

test("containers and machines get controllers, jobs and services do not", async () => {
  const { files, prepare } = machine();
  await prepare();
  const controlled = ["services", "containers", "vms", "jobs", "agent"].filter((name) =>
    files.exists(`/sys/fs/cgroup/${name}/cgroup.subtree_control`),
  );
  expect(controlled).toEqual(["containers", "vms"]);
});

test("an agent that PID 1 put into its group is not moved again", async () => {
  const { files, prepare } = machine({ "/proc/77/cgroup": "0::/agent\n" });
  await prepare();
  expect(files.exists("/sys/fs/cgroup/agent/cgroup.procs")).toBe(false);
});

test("controllers that are handed on already are not written again", async () => {
  const { files, prepare } = machine({
    "/sys/fs/cgroup/cgroup.subtree_control": "cpu io memory\n",
  });
  await prepare();
  expect(files.readText("/sys/fs/cgroup/cgroup.subtree_control")).toBe("+pids");
});

test("an agent that was restarted finds the same result", async () => {
  const { prepare } = machine();
  expect(await prepare()).toBe(await prepare());
});

test("kernel messages leave the console, but not with debug", async () => {
  const { files, prepare } = machine();
  await prepare(null, true);
  expect(files.readText("/proc/sys/kernel/printk")).toBe("7 4 1 7\n");
  await prepare();
  expect(files.readText("/proc/sys/kernel/printk")).toBe("4 4 1 7");
});

test("a kernel setting that does not exist is not created and no failure", async () => {
  const { files, prepare } = machine();
  await prepare();
  expect(files.exists("/proc/sys/vm/max_map_count")).toBe(false);
});

test("a step the kernel refuses is logged, and the others are done", async () => {
  const { files, log, prepare } = machine();
  files.failing.set("/proc/sys/kernel/hostname", "EPERM");
  await prepare();
  expect(log.lines[0]).toEqual([
    "warn",
    "system step failed",
    { step: "hostname", cause: "EPERM" },
  ]);
  expect(files.readText("/sys/class/net/lo/flags")).toBe("0x9");
});

test("without cgroup v2 the phase says that limits are not supported", async () => {
  const { files, prepare } = machine();
  files.remove("/sys/fs/cgroup/cgroup.controllers");
  expect(await prepare("rack-7")).toBe(
    "host name rack-7, no cgroup v2, resource limits are not supported",
  );
});

test("what PID 1 did not mount is named", async () => {
  const { files, prepare } = machine();
  files.writeText("/proc/self/mountinfo", MOUNTS.split("\n").slice(0, 2).join("\n"));
  await expect(prepare()).rejects.toThrow("Cannot prepare the system: /dev is not mounted");
});

test("a machine without interface has a host name too", () => {
  expect(hostnameFromMac("")).toBe("node0");
});

test("a clock that is not before the build is left alone", async () => {
  const { log, prepare } = machine();
  const ensureClock = (): Promise<never> => Promise.reject(new Error("called"));
  await prepare(null, false, { builtAtMs: Date.now(), ensureClock });
  await prepare(null, false, { builtAtMs: null, ensureClock });
  expect(log.lines.filter(([level]) => level === "warn")).toEqual([]);
});

test("a clock before the build is moved to it, which the log tells", async () => {
  const { log, prepare } = machine();
  const seen: number[] = [];
  const builtAtMs = Number.MAX_SAFE_INTEGER;
  const ensureClock = async (wallMs: number) => {
    seen.push(wallMs);
    return { isSet: true, byMs: 86_400_000 } as const;
  };
  await prepare(null, false, { builtAtMs, ensureClock });
  expect(seen).toEqual([builtAtMs]);
  expect(log.lines).toContainEqual([
    "warn",
    "clock was older than the software",
    { movedMs: 86_400_000 },
  ]);
});

test("a clock the kernel does not let move is logged, and the other steps are done", async () => {
  const { files, log, prepare } = machine();
  const ensureClock = (): Promise<never> => Promise.reject(new Error("EPERM"));
  await prepare(null, false, { builtAtMs: Number.MAX_SAFE_INTEGER, ensureClock });
  expect(log.lines[0]).toEqual(["warn", "system step failed", { step: "clock", cause: "EPERM" }]);
  expect(files.readText("/sys/class/net/lo/flags")).toBe("0x9");
});
