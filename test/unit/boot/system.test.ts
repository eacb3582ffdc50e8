import { expect, test } from "vitest";
import { hostnameFromMac, prepareSystem } from "../../../src/boot/system.ts";
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
  const prepare = (hostname: string | null = null, isDebug = false): string =>
    prepareSystem({ files, log, hostname, mac: "52:54:00:12:34:56", pid: 77, isDebug });
  return { files, log, prepare };
}

test("host name, loopback, kernel settings and the cgroup tree are set", () => {
  const { files, prepare } = machine();
  expect(prepare()).toBe("host name node0-525400123456, cgroup v2 with cpu, io, memory, pids");
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

test("containers and machines get controllers, jobs and services do not", () => {
  const { files, prepare } = machine();
  prepare();
  const controlled = ["services", "containers", "vms", "jobs", "agent"].filter((name) =>
    files.exists(`/sys/fs/cgroup/${name}/cgroup.subtree_control`),
  );
  expect(controlled).toEqual(["containers", "vms"]);
});

test("an agent that PID 1 put into its group is not moved again", () => {
  const { files, prepare } = machine({ "/proc/77/cgroup": "0::/agent\n" });
  prepare();
  expect(files.exists("/sys/fs/cgroup/agent/cgroup.procs")).toBe(false);
});

test("controllers that are handed on already are not written again", () => {
  const { files, prepare } = machine({
    "/sys/fs/cgroup/cgroup.subtree_control": "cpu io memory\n",
  });
  prepare();
  expect(files.readText("/sys/fs/cgroup/cgroup.subtree_control")).toBe("+pids");
});

test("an agent that was restarted finds the same result", () => {
  const { prepare } = machine();
  expect(prepare()).toBe(prepare());
});

test("kernel messages leave the console, but not with debug", () => {
  const { files, prepare } = machine();
  prepare(null, true);
  expect(files.readText("/proc/sys/kernel/printk")).toBe("7 4 1 7\n");
  prepare();
  expect(files.readText("/proc/sys/kernel/printk")).toBe("4 4 1 7");
});

test("a kernel setting that does not exist is not created and no failure", () => {
  const { files, prepare } = machine();
  prepare();
  expect(files.exists("/proc/sys/vm/max_map_count")).toBe(false);
});

test("a step the kernel refuses is logged, and the others are done", () => {
  const { files, log, prepare } = machine();
  files.failing.set("/proc/sys/kernel/hostname", "EPERM");
  prepare();
  expect(log.lines[0]).toEqual([
    "warn",
    "system step failed",
    { step: "hostname", cause: "EPERM" },
  ]);
  expect(files.readText("/sys/class/net/lo/flags")).toBe("0x9");
});

test("without cgroup v2 the phase says that limits are not supported", () => {
  const { files, prepare } = machine();
  files.remove("/sys/fs/cgroup/cgroup.controllers");
  expect(prepare("rack-7")).toBe(
    "host name rack-7, no cgroup v2, resource limits are not supported",
  );
});

test("what PID 1 did not mount is named", () => {
  const { files, prepare } = machine();
  files.writeText("/proc/self/mountinfo", MOUNTS.split("\n").slice(0, 2).join("\n"));
  expect(() => prepare()).toThrow("Cannot prepare the system: /dev is not mounted");
});

test("a machine without interface has a host name too", () => {
  expect(hostnameFromMac("")).toBe("node0");
});
