import { expect, test } from "vitest";
import { SupervisedService } from "../../../src/service/supervised-service.ts";
import type { ServiceSpec } from "../../../src/service/types.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { FakeServiceHost } from "../../fakes/service-host.ts";
import { settle } from "../../fakes/turns.ts";

const RECORD = "/run/node0/services/demo.json";

function setUp(over: Partial<ServiceSpec> = {}) {
  const host = new FakeServiceHost();
  host.installed.add("demod");
  const files = new MemoryFiles();
  const clock = new FakeClock();
  const log = new QuietLog();
  const make = (cgroups: string | null = null) =>
    new SupervisedService(
      { name: "demo", programs: ["demod"], args: ["-x"], ...over },
      { host, files, clock, log, cgroups, random: () => 0 },
    );
  const pass = async (spanMs: number) => {
    await settle();
    clock.advance(spanMs);
    await settle();
  };
  return { host, files, clock, log, make, pass };
}

test("a start runs the program once, however often it is asked for", async () => {
  const { host, make } = setUp();
  const service = make();
  service.start();
  service.start();
  await settle();
  service.start();
  await settle();
  expect(host.requests).toHaveLength(1);
  expect(service.status()).toMatchObject({ state: "running", pid: 100, restarts: 0 });
});

test("the daemon sees the variables on its list and no others of the agent", async () => {
  const { host, make } = setUp({ env: { LANG: "C" } });
  make().start();
  await settle();
  expect(host.requests[0]?.env).toStrictEqual({ PATH: "/usr/sbin:/bin", LANG: "C" });
});

test("a daemon that ends is started again, later each time, and the reason holds its last line", async () => {
  const { host, make, pass } = setUp();
  const service = make();
  service.start();
  await settle();
  host.reader?.push("cannot bind port\n");
  host.end(100);
  await settle();
  expect(service.status().reason).toBe(
    "ended after 0 s: exit code 1 (cannot bind port); next start in 0.5 s",
  );
  await pass(500);
  expect(service.status()).toMatchObject({ state: "running", pid: 101, restarts: 1 });
  host.end(101);
  await pass(999);
  expect(service.status()).toMatchObject({ state: "waiting", pid: null });
  await pass(1);
  expect(service.status().pid).toBe(102);
});

test("a daemon that ran a minute is started again after the shortest delay", async () => {
  const { host, make, pass } = setUp();
  const service = make();
  service.start();
  await settle();
  for (const pid of [100, 101, 102]) {
    host.end(pid);
    await pass(5000);
  }
  await pass(60_000);
  host.end(103);
  await settle();
  expect(service.status().reason).toContain("next start in 0.5 s");
});

test("a missing program is named with the places, and started when it appears", async () => {
  const { host, log, make, pass } = setUp({ programs: ["demod", "/opt/demod"] });
  host.installed.clear();
  const service = make();
  service.start();
  await pass(10_000);
  expect(service.status().reason).toBe(
    "demo is not installed: looked for /usr/sbin/demod, /bin/demod, /opt/demod",
  );
  expect(log.lines.filter(([, text]) => text === "service changed")).toHaveLength(1);
  host.installed.add("demod");
  await pass(2000);
  expect(service.status()).toMatchObject({ state: "running", restarts: 0 });
});

test("a preparation that fails puts the start off and is the reason", async () => {
  let isBroken = true;
  const { host, make, pass } = setUp({
    prepare: () => {
      if (isBroken) throw new Error("disk is full");
    },
  });
  const service = make();
  service.start();
  await settle();
  expect(service.status().reason).toBe("disk is full; next start in 0.5 s");
  expect(host.requests).toHaveLength(0);
  isBroken = false;
  await pass(500);
  expect(service.status().state).toBe("running");
});

test("a program that cannot be executed is tried again", async () => {
  const { host, make, pass } = setUp();
  host.failure = "Cannot start /bin/demod: spawn EACCES";
  const service = make();
  service.start();
  await settle();
  expect(service.status().reason).toContain("spawn EACCES; next start in 0.5 s");
  host.failure = undefined;
  await pass(500);
  expect(service.status().state).toBe("running");
});

test("the next agent takes the running daemon over, and notices its end", async () => {
  const { host, make, pass } = setUp();
  const first = make();
  first.start();
  await settle();
  first.release();
  const second = make();
  second.start();
  await settle();
  expect(second.status()).toMatchObject({ state: "running", pid: 100, isAdopted: true });
  expect(host.requests).toHaveLength(1);
  host.alive.delete(100);
  await pass(1000);
  expect(second.status()).toMatchObject({ state: "waiting" });
  expect(second.status().reason).toContain("exit status not known");
  await pass(500);
  expect(second.status()).toMatchObject({ state: "running", pid: 101, isAdopted: false });
});

test.each<[string, string]>([
  ["a pid used again", '{"pid":100,"startTicks":7,"bootId":"boot-1"}'],
  ["another run of the kernel", '{"pid":100,"startTicks":1000,"bootId":"boot-0"}'],
  ["PID 1", '{"pid":1,"startTicks":10,"bootId":"boot-1"}'],
  ["a negative pid", '{"pid":-100,"startTicks":1000,"bootId":"boot-1"}'],
  ["a broken record", '{"pid":'],
  ["no record at all", "null"],
])("%s is not taken over", async (_, record) => {
  const { host, files, make } = setUp();
  host.alive.set(100, 1000);
  host.alive.set(1, 10);
  files.texts.set(RECORD, record);
  const service = make();
  service.start();
  await settle();
  expect(service.status().isAdopted).toBe(false);
  expect(host.requests).toHaveLength(1);
});

test("stop asks first, and the whole group is killed after the daemon has ended", async () => {
  const { host, files, make, pass } = setUp();
  const service = make("/cg");
  service.start();
  await settle();
  expect(files.directories.has("/cg/demo")).toBe(true);
  expect(files.texts.get(RECORD)).toBe('{"pid":100,"startTicks":1000,"bootId":"boot-1"}\n');
  const stopped = service.stop();
  await pass(50);
  await stopped;
  expect(host.signals).toStrictEqual(["terminate 100", "kill 100 /cg/demo"]);
  expect(service.status()).toMatchObject({ state: "stopped", pid: null });
  expect(files.texts.has(RECORD)).toBe(false);
  await pass(60_000);
  expect(host.requests).toHaveLength(1);
});

test("a daemon that does not obey is killed after its limit", async () => {
  const { host, make, pass } = setUp({ stopLimitMs: 2000 });
  host.isStubborn = true;
  const service = make();
  service.start();
  await settle();
  const stopped = service.stop();
  await pass(1999);
  expect(host.signals).toStrictEqual(["terminate 100"]);
  await pass(1);
  await stopped;
  expect(host.signals).toStrictEqual(["terminate 100", "kill 100"]);
  expect(host.alive.size).toBe(0);
});

test("a stop during the wait for the next start ends it", async () => {
  const { host, make, pass } = setUp();
  const service = make();
  service.start();
  await settle();
  host.end(100);
  await settle();
  await service.stop();
  await pass(60_000);
  expect(host.requests).toHaveLength(1);
  service.start();
  await settle();
  expect(service.status().state).toBe("running");
});

test("stop also ends a daemon that an earlier agent started", async () => {
  const { host, make, pass } = setUp();
  make().start();
  await settle();
  const stopped = make().stop();
  await pass(50);
  await stopped;
  expect(host.alive.size).toBe(0);
});

test("a restart ends the daemon and starts it again", async () => {
  const { host, make, pass } = setUp();
  const service = make();
  service.start();
  await settle();
  await service.restart("hangs");
  await pass(500);
  expect(host.signals[0]).toBe("terminate 100");
  expect(service.status()).toMatchObject({ state: "running", pid: 101 });
});

test("children that live on by right are left alone at the end of the daemon", async () => {
  const { host, make } = setUp({ killsLeftovers: false });
  make().start();
  await settle();
  host.end(100);
  await settle();
  expect(host.signals).toStrictEqual([]);
});

test("listeners hear every change until they are ended", async () => {
  const { make } = setUp();
  const service = make();
  const states: string[] = [];
  const end = service.onChange(({ state }) => states.push(state));
  service.start();
  await settle();
  end();
  await service.stop();
  expect(states).toStrictEqual(["starting", "running"]);
});

test("a record that cannot be written does not stop the daemon", async () => {
  const { files, log, make } = setUp();
  files.failing.set(RECORD, "no space");
  const service = make();
  service.start();
  await settle();
  expect(service.status().state).toBe("running");
  expect(log.lines.map(([, text]) => text)).toContain("service record not written");
});
