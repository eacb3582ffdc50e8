import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import type { JobResult } from "../../src/job/types.ts";
import { BOOT_LIMIT_MS, call, openClient, PASSWORD, shell, startNode } from "./support.ts";

let machine: Machine;
let redis: Redis;

beforeAll(async () => {
  machine = await startNode();
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  redis = openClient(machine);
});
afterAll(async () => {
  redis?.disconnect();
  await machine?.stop();
});

const submit = async (command: Record<string, unknown>): Promise<void> => {
  await redis.rpush("core:default", JSON.stringify({ arguments: {}, ...command }));
};

const bash = (id: string, script: string, more: object = {}) =>
  submit({ id, command: "bash", arguments: { script }, ...more });

async function result(id: string): Promise<JobResult> {
  const client = openClient(machine);
  const text = await client.brpoplpush(`result:${id}`, `result:${id}`, 30);
  client.disconnect();
  return JSON.parse(text ?? "null") as JobResult;
}

/** Waits until a job has printed something. */
async function printed(id: string): Promise<void> {
  const client = openClient(machine);
  await client.blpop(`stream:${id}`, 30);
  client.disconnect();
}

/** A daemon as they are written: two forks, a session and descriptors of its own. */
const DAEMON = "setsid sh -c '/bin/sleep 600 >/dev/null 2>&1 </dev/null &' >/dev/null 2>&1;";

/** Which processes are that daemon; the shells that start it have other command lines. */
const daemons = (): Promise<string> =>
  shell(redis, "grep -l '^/bin/sleep' /proc/[0-9]*/cmdline 2>/dev/null || true");

const PATIENCE = { timeout: 10_000 };

/** A line that begins with "0::" would be a message of level 0. */
const CGROUP = "sed 's/^0::/cgroup /' /proc";

const cgroupOf = (pid: number): Promise<string> => shell(redis, `${CGROUP}/${pid}/cgroup`);

test("a job runs in a cgroup of its own, named after it", async () => {
  await bash("my.job/1", `${CGROUP}/self/cgroup; /bin/sleep 600; true`, { stream: true });
  await printed("my.job/1");
  const path = "/sys/fs/cgroup/jobs/my%2Ejob%2F1";
  const pids = (await shell(redis, `cat ${path}/cgroup.procs`)).trim().split("\n");
  const rows = JSON.parse((await call(redis, "job.list", { id: "my.job/1" })).data);
  expect(pids).toHaveLength(2);
  expect(rows[0].rss).toBeGreaterThan(100_000);
  await call(redis, "job.kill", { id: "my.job/1", signal: 9 });
  expect((await result("my.job/1")).streams?.[0]).toBe("cgroup /jobs/my%2Ejob%2F1\n");
  await expect.poll(() => shell(redis, `ls -d ${path} 2>/dev/null || true`), PATIENCE).toBe("");
});

test("a daemon that left its group is gone after a kill and a time-out, not when its job is over", async () => {
  await bash("killed", `${DAEMON} echo ready; sleep 600`, { stream: true });
  await printed("killed");
  expect(await daemons()).not.toBe("");
  await call(redis, "job.kill", { id: "killed", signal: 9 });
  expect(await result("killed")).toMatchObject({ state: "ERROR", code: 999 });
  await expect.poll(daemons, PATIENCE).toBe("");

  await bash("ended", `${DAEMON} echo ready; exec sleep 600`, { stream: true });
  await printed("ended");
  await call(redis, "job.kill", { id: "ended" });
  expect(await result("ended")).toMatchObject({ state: "ERROR", code: 999 });
  await expect.poll(daemons, PATIENCE).toBe("");

  await bash("late", `${DAEMON} sleep 600`, { max_time: 1 });
  expect(await result("late")).toMatchObject({ state: "TIMEOUT", code: 999 });
  await expect.poll(daemons, PATIENCE).toBe("");

  await bash("over", DAEMON);
  expect(await result("over")).toMatchObject({ state: "SUCCESS" });
  const path = "/sys/fs/cgroup/jobs/over";
  expect(await daemons()).not.toBe("");
  await shell(redis, `kill $(cat ${path}/cgroup.procs)`);
  await expect
    .poll(() => shell(redis, `ls -d ${path} 2>/dev/null || true`), { timeout: 20_000 })
    .toBe("");
});

test("a fork bomb with a limit of processes leaves the agent as quick as it was", async () => {
  const pingMs = async (): Promise<number> => {
    const times: number[] = [];
    for (let index = 0; index < 20; index += 1) {
      const startedMs = performance.now();
      await redis.ping();
      times.push(performance.now() - startedMs);
    }
    return times.toSorted((a, b) => a - b)[10] ?? 0;
  };
  const quietMs = await pingMs();
  const bomb = "bomb() { bomb | bomb & }; bomb; sleep 600";
  await bash("bomb", bomb, { limits: { pids: 50, cpu: 50 } });
  const path = "/sys/fs/cgroup/jobs-limited/bomb";
  await expect
    .poll(async () => Number(await shell(redis, `sed -n 's/max //p' ${path}/pids.events`)), {
      timeout: 20_000,
    })
    .toBeGreaterThan(0);
  expect(Number(await shell(redis, `cat ${path}/pids.current`))).toBeLessThanOrEqual(50);
  const busyMs = await pingMs();
  console.log(`PING ${quietMs.toFixed(1)} ms quiet, ${busyMs.toFixed(1)} ms beside a fork bomb`);
  expect(busyMs).toBeLessThan(100 + 5 * quietMs);
  await call(redis, "job.kill", { id: "bomb", signal: 9 });
  expect(await result("bomb")).toMatchObject({ state: "ERROR", code: 999 });
  await expect.poll(() => shell(redis, `ls -d ${path} 2>/dev/null || true`), PATIENCE).toBe("");
});

test("a memory limit is enforced, and the result says what happened", async () => {
  const limits = { memory: 16 * 1024 * 1024 };
  await bash("hungry", "head -c 200000000 /dev/zero | tail -c 100000000 >/dev/null", { limits });
  expect(await result("hungry")).toMatchObject({
    state: "ERROR",
    code: 999,
    critical: "the job reached its memory limit\n",
  });
  await bash("modest", "sleep 1; cat /sys/fs/cgroup/jobs-limited/modest/memory.max", { limits });
  expect((await result("modest")).streams?.[0]).toBe(`${limits.memory}\n`);
});

test("named cgroups are those of the kernel", async () => {
  const group = async (name: string, args: object): Promise<unknown> =>
    JSON.parse((await call(redis, `cgroup.${name}`, args)).data);
  const memory = { subsystem: "memory", name: "lab" };
  expect(await group("ensure", memory)).toBe(null);
  await group("ensure", { subsystem: "cpuset", name: "lab" });
  expect(await group("list", {})).toEqual({ cpuset: ["lab"], memory: ["lab"] });

  expect(await group("memory.spec", { name: "lab" })).toEqual({ mem: 2 ** 63 - 4096, swap: 0 });
  const wanted = { mem: 67_108_864, swap: 4_194_304 };
  expect(await group("memory.spec", { name: "lab", ...wanted })).toMatchObject({ mem: wanted.mem });
  expect(await shell(redis, "cat /sys/fs/cgroup/memory/lab/memory.max")).toBe("67108864\n");
  await group("reset", memory);
  expect(await shell(redis, "cat /sys/fs/cgroup/memory/lab/memory.max")).toBe("max\n");

  const cpus = (await group("cpuset.spec", { name: "lab" })) as { cpus: string; mems: string };
  expect(cpus).toEqual({
    cpus: (await shell(redis, "cat /sys/fs/cgroup/cpuset.cpus.effective")).trim(),
    mems: (await shell(redis, "cat /sys/fs/cgroup/cpuset.mems.effective")).trim(),
  });
  expect(await group("cpuset.spec", { name: "lab", cpus: "0" })).toMatchObject({ cpus: "0" });
  expect(await shell(redis, "cat /sys/fs/cgroup/cpuset/lab/cpuset.cpus")).toBe("0\n");
  await expect(group("cpuset.spec", { name: "lab", cpus: "9999" })).rejects.toThrow(/JOBERR 500/);

  await submit({
    id: "moved",
    command: "core.system",
    arguments: { name: "sleep", args: ["600"] },
  });
  const pidOf = async (): Promise<number> => {
    const { data } = await call(redis, "job.list", { id: "moved" });
    return JSON.parse(data)[0].pid;
  };
  await expect.poll(pidOf).toBeGreaterThan(1);
  const pid = await pidOf();
  await group("task-add", { ...memory, pid });
  expect(await group("tasks", memory)).toEqual([pid]);
  expect(await cgroupOf(pid)).toBe("cgroup /memory/lab\n");
  await group("task-remove", { ...memory, pid });
  expect(await cgroupOf(pid)).toBe("cgroup /\n");
  await group("task-add", { ...memory, pid });
  await expect(group("task-add", { ...memory, pid: 4_000_000 })).rejects.toThrow(/JOBERR 500/);
  await expect(group("tasks", { ...memory, name: "none" })).rejects.toThrow(/JOBERR 404/);
  await expect(group("ensure", { subsystem: "devices", name: "x" })).rejects.toThrow(/JOBERR 500/);
  await expect(group("ensure", { ...memory, name: "../x" })).rejects.toThrow(/JOBERR 400/);

  await group("remove", memory);
  await group("remove", { subsystem: "cpuset", name: "lab" });
  expect(await cgroupOf(pid)).toBe("cgroup /\n");
  expect(await group("list", {})).toEqual({});
  await call(redis, "job.kill", { id: "moved" });
});

test("what a crashed agent leaves is killed by the next one, and streams have their end", async () => {
  await bash("orphan", `${DAEMON} echo ready; /bin/sleep 600; true`, { stream: true });
  await printed("orphan");
  expect((await daemons()).trim().split("\n")).toHaveLength(2);
  await expect(call(redis, "bash", { script: "kill -9 $(pidof node)" })).rejects.toThrow();
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  redis.disconnect();
  redis = openClient(machine);
  expect(await result("orphan")).toMatchObject({ state: "ERROR", code: 999 });
  const [, record = "{}"] = (await redis.blpop("stream:orphan", 10)) ?? [];
  expect(JSON.parse(record)).toMatchObject({ message: { message: "", meta: 131_077 } });
  await expect.poll(daemons, PATIENCE).toBe("");
  await expect
    .poll(() => shell(redis, "ls -d /sys/fs/cgroup/jobs/orphan 2>/dev/null || true"), PATIENCE)
    .toBe("");
});
