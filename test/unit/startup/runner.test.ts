import { describe, expect, test } from "vitest";
import { planServices } from "../../../src/startup/plan.ts";
import { StartupRunner } from "../../../src/startup/runner.ts";
import type { Milestone, StartupService } from "../../../src/startup/types.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { settle } from "../../fakes/turns.ts";
import { setUp as setUpEngine } from "../job/harness.ts";
import { service } from "./service.ts";

function setUp(...services: (Partial<StartupService> & { readonly id: string })[]) {
  const { engine, spawner, clock, sink } = setUpEngine();
  const log = new QuietLog();
  const values = new Map([
    ["debug", ""],
    ["who", "world"],
  ]);
  const runner = new StartupRunner({ clock, jobs: engine, log, values, isScript: () => false });
  runner.add(planServices(services.map(service)).planned);
  const reasons: string[] = [];
  const outcomes: string[] = [];
  const run = async (milestone: Milestone, signal = new AbortController().signal) => {
    const context = { signal, setReason: (text: string) => void reasons.push(text) };
    runner.run(milestone, context).then(
      (line) => outcomes.push(line),
      (error: unknown) => outcomes.push(`failed: ${(error as Error).message}`),
    );
    await settle();
  };
  /** Names of the programs that were started. */
  const started = () => spawner.processes.map(({ request }) => request.argv[0]);
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settle();
  };
  const ends = async (at: number, code: number): Promise<void> => {
    spawner.processes[at]?.end({ code });
    await settle();
  };
  const starts = async (at: number): Promise<void> => {
    spawner.processes[at]?.start(100 + at);
    await settle();
  };
  return {
    runner,
    run,
    started,
    advance,
    ends,
    starts,
    reasons,
    outcomes,
    spawner,
    log,
    engine,
    sink,
    clock,
  };
}

test("a service starts when those before it run, and says what it waits for", async () => {
  const { run, started, advance, reasons, outcomes } = setUp(
    { id: "b", after: ["a"] },
    { id: "a", after: ["init"] },
    { id: "other", after: ["init"] },
  );
  await run("init");
  expect(started()).toEqual(["a", "other"]);
  expect(reasons.at(-1)).toBe("waiting for b (after a), a (started), other (started)");
  await advance(1999);
  expect(started()).toHaveLength(2);
  await advance(1);
  expect(started()).toEqual(["a", "other", "b"]);
  expect(reasons.at(-1)).toBe("waiting for b (started)");
  await advance(2000);
  expect(outcomes).toEqual(["running: b, a, other"]);
});

test("each group starts its own services, and once", async () => {
  const { runner, run, started, advance } = setUp(
    { id: "i", after: ["init"] },
    { id: "n", after: ["net"] },
    { id: "b" },
  );
  expect([runner.isDue("init"), runner.isDue("boot")]).toEqual([true, true]);
  await run("init");
  await advance(2000);
  expect(runner.isDue("init")).toBe(false);
  await run("init");
  expect(started()).toEqual(["i"]);
  await run("net");
  await advance(2000);
  expect(started()).toEqual(["i", "n"]);
  await run("boot");
  expect(started()).toEqual(["i", "n", "b"]);
});

test("a service of a group that is over starts with the next one", async () => {
  const { run, started } = setUp({ id: "i", after: ["init"] });
  await run("net");
  expect(started()).toEqual(["i"]);
});

describe("when a service counts as running", () => {
  test("after its delay", async () => {
    const { run, advance, outcomes } = setUp({ id: "a", runningDelay: 5 });
    await run("boot");
    await advance(4999);
    expect(outcomes).toEqual([]);
    await advance(1);
    expect(outcomes).toEqual(["running: a"]);
  });

  test("before its delay when it has ended well", async () => {
    const { run, ends, outcomes } = setUp({ id: "a", runningDelay: 5 });
    await run("boot");
    await ends(0, 0);
    expect(outcomes).toEqual(["running: a"]);
  });

  test("with a negative delay when it has ended well, and not before", async () => {
    const { run, advance, ends, outcomes } = setUp({ id: "a", runningDelay: -1 });
    await run("boot");
    await advance(59_000);
    expect(outcomes).toEqual([]);
    await ends(0, 0);
    expect(outcomes).toEqual(["running: a"]);
  });

  test("with an expression when a line of its output matches, however long that takes", async () => {
    const { run, advance, spawner, starts, outcomes } = setUp({
      id: "a",
      runningMatch: /^up$/,
    });
    await run("boot");
    await starts(0);
    await advance(50_000);
    spawner.processes[0]?.write(2, "almost up\n");
    await settle();
    expect(outcomes).toEqual([]);
    spawner.processes[0]?.write(1, "u");
    spawner.processes[0]?.write(1, "p\n");
    await settle();
    expect(outcomes).toEqual(["running: a"]);
  });
});

describe("a service that does not run keeps those after it from starting, and no other", () => {
  test.each([
    ["an exit status", 3, "exit status 3"],
    ["a signal", null, "ended by a signal"],
  ])("%s", async (_, code, reason) => {
    const { run, spawner, advance, outcomes, started, log } = setUp(
      { id: "a" },
      { id: "b", after: ["a"] },
      { id: "c", after: ["b"] },
      { id: "d" },
    );
    await run("boot");
    spawner.processes[0]?.end({ code });
    await advance(2000);
    expect(started()).toEqual(["a", "d"]);
    expect(outcomes).toEqual([
      `failed: a does not run: ${reason}; b does not run: a before it does not run; c does not run: b before it does not run; running: d`,
    ]);
    expect(log.lines).toContainEqual(["warn", "service does not run", { service: "a", reason }]);
  });

  test("no such program", async () => {
    const { run, outcomes } = setUp({ id: "a", args: { name: "missing" } });
    await run("boot");
    expect(outcomes[0]).toMatch(/^failed: a does not run: Cannot find program "missing"/);
  });

  test("no such command", async () => {
    const { run, outcomes } = setUp({ id: "a", command: "no.such" });
    await run("boot");
    expect(outcomes).toEqual(['failed: a does not run: Cannot start job "a": unknown command']);
  });

  test("a client's job of the same id", async () => {
    const { run, engine, outcomes } = setUp({ id: "a" });
    engine.submit('{"id":"a","command":"core.system","arguments":{"name":"x"}}');
    await run("boot");
    expect(outcomes[0]).toMatch(/Cannot start job "a": the id is empty or known/);
  });

  test("time is up", async () => {
    const { run, advance, outcomes, spawner } = setUp({
      id: "a",
      runningDelay: -1,
      runningLimit: 10,
    });
    await run("boot");
    await advance(10_000);
    expect(outcomes).toEqual(["failed: a does not run: it has not ended within 10 s"]);
    // It goes on: somebody may look at it.
    expect(spawner.processes[0]?.signals).toEqual([]);
  });

  test("arguments too deep to fill in", async () => {
    let args: Record<string, unknown> = { name: "{who}" };
    for (let depth = 0; depth < 100_000; depth += 1) args = { a: args };
    const { run, outcomes } = setUp({ id: "a", args });
    await run("boot");
    expect(outcomes[0]).toMatch(/^failed: a does not run: Maximum call stack/);
  });

  test("a condition that cannot be read in an argument", async () => {
    const { run, outcomes, started } = setUp({ id: "a", args: { "(|x": 1 } });
    await run("boot");
    expect(started()).toEqual([]);
    expect(outcomes[0]).toMatch(/^failed: a does not run: Cannot use condition "\("/);
  });
});

test("a service whose condition does not hold is left out, with those after it", async () => {
  const { run, advance, started, outcomes } = setUp(
    { id: "a", condition: "not(debug)" },
    { id: "b", after: ["a"] },
    { id: "c", condition: "debug" },
  );
  await run("boot");
  await advance(2000);
  expect(started()).toEqual(["c"]);
  expect(outcomes).toEqual(["running: c; left out: a, b"]);
});

test("a protected service that dies is started again and may still come up", async () => {
  const { run, advance, starts, ends, started, outcomes } = setUp({ id: "a", isProtected: true });
  await run("boot");
  await starts(0);
  await ends(0, 1);
  expect(outcomes).toEqual([]);
  await advance(2000);
  expect(started()).toEqual(["a", "a"]);
  await starts(1);
  await advance(1999);
  expect(outcomes).toEqual([]);
  await advance(1);
  expect(outcomes).toEqual(["running: a"]);
});

test("a protected service that always dies is given up waiting for, not given up", async () => {
  const { run, advance, ends, starts, outcomes, spawner } = setUp({
    id: "a",
    isProtected: true,
    runningLimit: 10,
  });
  await run("boot");
  for (const [at, delayMs] of [2000, 3000, 4500].entries()) {
    await starts(at);
    await ends(at, 9);
    await advance(delayMs);
  }
  expect(outcomes).toEqual([]);
  await advance(500);
  expect(outcomes).toEqual([
    "failed: a does not run: no run of 2 s within 10 s, last run: exit status 9",
  ]);
  await starts(3);
  await ends(3, 9);
  await advance(300_000);
  expect(spawner.processes).toHaveLength(5);
});

test("a service with restarts has failed when the last of them has", async () => {
  const { run, advance, starts, ends, started, outcomes } = setUp({ id: "a", maxRestart: 2 });
  await run("boot");
  await starts(0);
  await ends(0, 1);
  await advance(1000);
  expect(started()).toHaveLength(2);
  expect(outcomes).toEqual([]);
  await starts(1);
  await ends(1, 4);
  expect(outcomes).toEqual(["failed: a does not run: exit status 4"]);
});

test("the job has the id and the settings of its service, and its arguments are filled in", async () => {
  const { run, engine } = setUp({
    id: "a b",
    args: { name: "{who}", args: ["-x", "{none}"] },
    tags: ["t"],
    recurringPeriod: 30,
  });
  await run("boot");
  expect(engine.list().map(({ cmd }) => cmd)).toMatchObject([
    {
      id: "a b",
      command: "core.system",
      arguments: { name: "world", args: ["-x", "{none}"] },
      tags: ["t"],
      recurring_period: 30,
    },
  ]);
});

test("nothing more is started when the machine goes down", async () => {
  const stop = new AbortController();
  const { run, ends, started } = setUp({ id: "a", runningDelay: -1 }, { id: "b", after: ["a"] });
  await run("boot", stop.signal);
  stop.abort();
  await ends(0, 0);
  expect(started()).toEqual(["a"]);
});

test("nothing waits any more when all is over", async () => {
  const { run, advance, clock, ends } = setUp({ id: "a" }, { id: "b", runningDelay: -1 });
  await run("boot");
  await ends(1, 0);
  await advance(2000);
  expect(clock.pendingTimers).toBe(0);
});
