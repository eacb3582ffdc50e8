import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CgroupGroups } from "../../src/sys/cgroup-groups.ts";
import { LinuxCgroups, nameOf } from "../../src/sys/cgroup-linux.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";
import { readMounts } from "../../src/sys/mounts.ts";
import { LinuxSpawner } from "../../src/sys/spawn-linux.ts";

const NONE = { memory: 0, pids: 0, cpu: 0 };

/** Where this host has cgroup v2 and lets us make cgroups; the e2e test has the whole of it. */
const root = findRoot();
if (root === undefined) console.log("skipped: no cgroup v2 mounted that can be written");

function findRoot(): string | undefined {
  const mount = readMounts(linuxFiles).find(({ type }) => type === "cgroup2")?.mountpoint;
  const path = `${mount}/node0-test-${process.pid}`;
  try {
    mkdirSync(path);
    return path;
  } catch {
    return undefined;
  }
}

const children: ChildProcess[] = [];

/** A process that left its group and its session, moved into a cgroup. */
async function daemonIn(path: string): Promise<ChildProcess> {
  const child = spawn("setsid", ["sleep", "100"], { stdio: "ignore" });
  children.push(child);
  await once(child, "spawn");
  writeFileSync(`${path}/cgroup.procs`, String(child.pid));
  return child;
}

describe.skipIf(root === undefined)("cgroups of jobs", () => {
  let cgroups: LinuxCgroups;

  beforeEach(() => {
    mkdirSync(root ?? "", { recursive: true });
    cgroups = new LinuxCgroups(root ?? "");
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    }
    for (const name of ["jobs", "jobs-limited"]) {
      if (existsSync(`${root}/${name}`)) rmdirSync(`${root}/${name}`);
    }
    rmdirSync(root ?? "");
  });

  test("a kill takes what left the process group, and the cgroup is gone", async () => {
    const cgroup = cgroups.create("a.b/c", NONE);
    expect(cgroup.path).toBe(`${root}/jobs/a%2Eb%2Fc`);
    const daemon = await daemonIn(cgroup.path);
    expect(cgroup.pids()).toEqual([daemon.pid]);
    expect(cgroup.usage()?.cpuMs).toBeGreaterThanOrEqual(0);
    const ended = once(daemon, "exit");
    cgroup.remove();
    expect(await ended).toEqual([null, "SIGKILL"]);
    await expect.poll(() => existsSync(cgroup.path)).toBe(false);
    expect([cgroup.usage(), cgroup.pids()]).toEqual([undefined, []]);
  });

  test("cgroups that a job made below its own go with it", async () => {
    const cgroup = cgroups.create("a", NONE);
    mkdirSync(`${cgroup.path}/x/y`, { recursive: true });
    const daemon = await daemonIn(`${cgroup.path}/x/y`);
    const ended = once(daemon, "exit");
    cgroup.kill();
    await ended;
    cgroup.remove();
    await expect.poll(() => existsSync(cgroup.path)).toBe(false);
  });

  test("a run does not wait for the cgroup of the one before it", async () => {
    const first = cgroups.create("a", NONE);
    const second = cgroups.create("a", NONE);
    expect(second.path).not.toBe(first.path);
    first.remove();
    second.remove();
    expect([existsSync(first.path), existsSync(second.path)]).toEqual([false, false]);
  });

  test("what goes on in the background keeps its cgroup as long as it lives", async () => {
    const cgroup = cgroups.create("a", NONE);
    const daemon = await daemonIn(cgroup.path);
    cgroup.release();
    expect([cgroup.pids(), daemon.exitCode]).toEqual([[daemon.pid], null]);
    const ended = once(daemon, "exit");
    daemon.kill();
    await ended;
    await expect.poll(() => existsSync(cgroup.path)).toBe(false);
  });

  test("what a previous agent had not ended is killed, what it had ended goes on", async () => {
    const [first, second] = [cgroups.create("a", NONE), cgroups.create("a", NONE)];
    const [over, empty] = [cgroups.create("b", NONE), cgroups.create("c", NONE)];
    const ended = Promise.all([
      once(await daemonIn(first.path), "exit"),
      once(await daemonIn(second.path), "exit"),
    ]);
    const daemon = await daemonIn(over.path);
    expect(new LinuxCgroups(root ?? "").killLeftovers(["a"])).toBe(2);
    expect(await ended).toEqual([
      [null, "SIGKILL"],
      [null, "SIGKILL"],
    ]);
    await expect.poll(() => [first, second].some(({ path }) => existsSync(path))).toBe(false);
    expect(existsSync(empty.path)).toBe(false);
    expect(over.pids()).toEqual([daemon.pid]);
    const gone = once(daemon, "exit");
    daemon.kill();
    await gone;
    await expect.poll(() => existsSync(over.path)).toBe(false);
  });

  test("a limit without its controller is refused, and nothing stays", () => {
    const controllers = readFileSync(`${root}/cgroup.controllers`, "utf8").split(/\s+/);
    const limits = { memory: 16_777_216, pids: 10, cpu: 10 };
    if (["memory", "pids", "cpu"].every((name) => controllers.includes(name))) {
      const cgroup = cgroups.create("a", limits);
      expect(readFileSync(`${cgroup.path}/pids.max`, "utf8")).toBe("10\n");
      cgroup.remove();
    } else {
      expect(() => cgroups.create("a", limits)).toThrow(/no controller/);
    }
  });

  test("a program starts inside its cgroup, or is refused by a C library that cannot", async () => {
    const cgroup = cgroups.create("a", NONE);
    const spawner = new LinuxSpawner({ PATH: "/usr/bin:/bin" });
    let output = "";
    const outcome = await new Promise<string>((resolve) => {
      const request = { path: "/bin/cat", argv: ["cat", "/proc/self/cgroup"], dir: "/", env: {} };
      spawner.spawn(
        { ...request, stdin: "", cgroup: cgroup.path },
        {
          started: () => {},
          output: (_, chunk) => {
            output += Buffer.from(chunk).toString();
          },
          ended: () => resolve(output),
          failed: (error) => resolve(error.message),
        },
      );
    });
    spawner.stop();
    cgroup.remove();
    expect(outcome).toMatch(/^0::.*\/jobs\/a$|glibc 2\.39 or later is needed/m);
  });
});

test("without cgroup v2 there is an obstacle that says so", async () => {
  const cgroups = new LinuxCgroups("/no/such");
  expect(cgroups.obstacle).toBe("there is no cgroup v2 at /no/such");
  expect(() => cgroups.create("a", NONE)).toThrow(/no cgroup v2/);
  expect(cgroups.killLeftovers(["a"])).toBe(0);
  const groups = new CgroupGroups("/no/such");
  await expect(groups.list()).rejects.toMatchObject({ code: "E_CGROUP_NONE" });
  await expect(groups.tasks("memory", "x")).rejects.toMatchObject({ code: "E_CGROUP_NONE" });
});

test("names of cgroups are file names that no two ids share", () => {
  expect(nameOf("core-1_x")).toBe("core-1_x");
  expect(nameOf("cgroup.procs")).toBe("cgroup%2Eprocs");
  expect(nameOf("../é")).toBe("%2E%2E%2F%C3%A9");
  expect(nameOf("")).toMatch(/^~[0-9a-f]{64}$/);
  expect(nameOf("x".repeat(5000))).toMatch(/^~[0-9a-f]{64}$/);
  expect(nameOf("~abc")).toBe("%7Eabc");
});
