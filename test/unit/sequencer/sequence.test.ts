import { expect, test } from "vitest";
import { EventBus } from "../../../src/events/bus.ts";
import type { Phase, PhaseContext } from "../../../src/sequencer/phase.ts";
import { Sequence, type SequenceEvents } from "../../../src/sequencer/sequence.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { settle } from "../../fakes/turns.ts";

const BACKOFF = { initialMs: 100, factor: 2, capMs: 1000, jitter: 0 };
const FOREVER = { backoff: BACKOFF, attempts: "forever" } as const;

function start(phases: readonly Phase[]) {
  const clock = new FakeClock();
  const events = new EventBus<SequenceEvents>();
  const controller = new AbortController();
  const sequence = new Sequence({ name: "boot", phases, clock, events, random: () => 0 });
  const run = sequence.run(controller.signal);
  const states = (): string[] => sequence.timeline().map(({ phase, state }) => `${phase} ${state}`);
  return { clock, events, controller, sequence, run, states };
}

const done = (id: string): Phase => ({ id, run: async () => `${id} reached` });

/** Fails `times` times, then succeeds. */
const flaky = (id: string, times: number, more: Partial<Phase> = {}): Phase => ({
  id,
  run: async ({ attempt }) => {
    if (attempt <= times) throw new Error(`no answer ${attempt}`);
    return "answered";
  },
  ...more,
});

test("phases run in order and say what they reached", async () => {
  const { run, sequence } = start([done("a"), done("b")]);
  expect(await run).toEqual({ state: "done" });
  expect(sequence.timeline()).toEqual([
    { phase: "a", state: "done", startMs: 0, endMs: 0, attempts: 1, reason: "a reached" },
    { phase: "b", state: "done", startMs: 0, endMs: 0, attempts: 1, reason: "b reached" },
  ]);
});

test("nothing runs before its turn comes, guards included", async () => {
  let isAllowed = false;
  const late: Phase = { ...done("b"), skip: () => (isAllowed ? undefined : "not wanted") };
  const first: Phase = {
    id: "a",
    run: async () => {
      isAllowed = true;
      return "";
    },
  };
  const { run, states } = start([first, late]);
  await run;
  expect(states()).toEqual(["a done", "b done"]);
});

test("a skipped phase says why and has made no attempt", async () => {
  const { run, sequence } = start([{ ...done("a"), skip: () => "not configured" }]);
  await run;
  expect(sequence.timeline()[0]).toMatchObject({
    state: "skipped",
    reason: "not configured",
    attempts: 0,
  });
});

test("a phase without retry policy that fails is fatal: the sequence ends there", async () => {
  const { run, states } = start([flaky("a", 1), done("b")]);
  expect(await run).toEqual({ state: "failed", phase: "a", reason: "no answer 1" });
  expect(states()).toEqual(["a failed", "b pending"]);
});

test("a phase that may fail lets the next one run", async () => {
  const { run, states } = start([flaky("a", 1, { onFailure: "continue" }), done("b")]);
  expect(await run).toEqual({ state: "done" });
  expect(states()).toEqual(["a failed", "b done"]);
});

test("retries wait longer each time, up to the cap, and show the last reason meanwhile", async () => {
  const { clock, sequence, run } = start([flaky("a", 5, { retry: FOREVER })]);
  const attemptsAt: Record<number, number> = {};
  for (let now = 0; now <= 3000; now += 50) {
    await settle();
    attemptsAt[now] = sequence.timeline()[0]?.attempts ?? 0;
    if (now === 100) expect(sequence.timeline()[0]?.reason).toBe("no answer 2");
    clock.advance(50);
  }
  await run;
  const starts = [2, 3, 4, 5, 6].map((attempt) =>
    Object.keys(attemptsAt).find((now) => attemptsAt[Number(now)] === attempt),
  );
  expect(starts).toEqual(["100", "300", "700", "1500", "2500"]);
  expect(sequence.timeline()[0]).toMatchObject({ state: "done", endMs: 2500, attempts: 6 });
});

test("a limited number of attempts ends in failed", async () => {
  const { clock, run, sequence } = start([
    flaky("a", 9, { retry: { backoff: BACKOFF, attempts: 2 } }),
  ]);
  await settle();
  clock.advance(100);
  expect(await run).toMatchObject({ state: "failed", reason: "no answer 2" });
  expect(sequence.timeline()[0]).toMatchObject({ state: "failed", attempts: 2, endMs: 100 });
});

test("progress makes the next delay the shortest one again", async () => {
  const phase: Phase = {
    id: "a",
    run: async ({ attempt, progress }) => {
      if (attempt === 3) progress();
      throw new Error("not yet");
    },
    retry: FOREVER,
  };
  const { clock, sequence } = start([phase]);
  for (const delay of [100, 200, 100]) {
    await settle();
    clock.advance(delay);
  }
  await settle();
  expect(sequence.timeline()[0]?.attempts).toBe(4);
});

test("a wake-up ends the waiting before the next attempt", async () => {
  let wake = (): void => {};
  const retry = {
    ...FOREVER,
    wake: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
  };
  const { run, clock } = start([flaky("a", 1, { retry })]);
  await settle();
  wake();
  expect(await run).toEqual({ state: "done" });
  expect(clock.monotonicMs()).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

test("an attempt over its time limit is aborted and says what it waited for", async () => {
  let seen: AbortSignal | undefined;
  const stuck: Phase = {
    id: "a",
    attemptLimitMs: 5000,
    run: ({ signal, setReason }) => {
      seen = signal;
      setReason("asking the server");
      return new Promise(() => {});
    },
  };
  const { run, clock } = start([stuck]);
  await settle();
  clock.advance(5000);
  expect(await run).toMatchObject({
    state: "failed",
    reason: "no result after 5 s; last: asking the server",
  });
  expect(seen?.aborted).toBe(true);
});

test("an attempt that was given up cannot change the status any more", async () => {
  const contexts: PhaseContext[] = [];
  const stuck: Phase = {
    id: "a",
    attemptLimitMs: 1000,
    retry: FOREVER,
    run: (context) => {
      contexts.push(context);
      return new Promise(() => {});
    },
  };
  const { clock, sequence } = start([stuck]);
  await settle();
  clock.advance(1000);
  await settle();
  contexts[0]?.setReason("too late");
  expect(sequence.timeline()[0]?.reason).toBe("no result after 1 s");
});

test("a background phase that fails first lets the next one start and goes on beside it", async () => {
  const { run, states, clock } = start([
    flaky("a", 1, { retry: FOREVER, background: "retries" }),
    done("b"),
  ]);
  expect(await run).toEqual({ state: "done" });
  expect(states()).toEqual(["a retrying", "b done"]);
  clock.advance(100);
  await settle();
  expect(states()).toEqual(["a done", "b done"]);
});

test("a phase wholly in the background does not hold up the next one at all", async () => {
  const first = Promise.withResolvers<string>();
  const slow: Phase = { id: "a", run: () => first.promise, background: "all", retry: FOREVER };
  const { run, states, clock } = start([slow, done("b")]);
  expect(await run).toEqual({ state: "done" });
  expect(states()).toEqual(["a running", "b done"]);
  first.reject(new Error("not yet"));
  await settle();
  expect(states()).toEqual(["a retrying", "b done"]);
  clock.advance(100);
  await settle();
  expect(states()).toEqual(["a retrying", "b done"]);
});

test("a phase that is lost goes back to retrying and is done again, and the boot stays finished", async () => {
  let lose: (reason: string) => void = () => {};
  const phase: Phase = {
    ...done("a"),
    retry: FOREVER,
    watch: (lost) => {
      lose = lost;
    },
  };
  const { run, clock, sequence } = start([phase]);
  await run;
  clock.advance(5000);
  lose("eth0: no carrier");
  expect(sequence.timeline()[0]).toMatchObject({
    state: "retrying",
    reason: "eth0: no carrier",
    startMs: 5000,
    endMs: null,
  });
  clock.advance(100);
  await settle();
  expect(sequence.timeline()[0]).toMatchObject({ state: "done", endMs: 5100, attempts: 2 });
  expect(sequence.finishedMs()).toBe(0);
});

test("a loss counts once, and each new success is watched again", async () => {
  const losses: ((reason: string) => void)[] = [];
  const phase: Phase = { ...done("a"), retry: FOREVER, watch: (lost) => void losses.push(lost) };
  const { run, clock, states } = start([phase]);
  await run;
  losses[0]?.("gone");
  clock.advance(100);
  await settle();
  losses[0]?.("gone, says one who is not asked any more");
  expect(states()).toEqual(["a done"]);
  losses[1]?.("gone again");
  expect(states()).toEqual(["a retrying"]);
});

test("cancelling ends the phase under way with the reason, later ones stay pending", async () => {
  const stuck: Phase = { id: "a", run: () => new Promise(() => {}) };
  const { run, controller, sequence, states } = start([stuck, done("b")]);
  await settle();
  controller.abort(new Error("reboot takes over"));
  expect(await run).toEqual({ state: "cancelled", phase: "a", reason: "reboot takes over" });
  expect(states()).toEqual(["a failed", "b pending"]);
  expect(sequence.timeline()[0]?.reason).toBe("stopped: reboot takes over");
});

test("cancelling ends the waiting between attempts and what runs in the background", async () => {
  const { run, controller, states, sequence, clock } = start([
    flaky("a", 9, { retry: FOREVER, background: "retries" }),
    flaky("b", 9, { retry: FOREVER }),
  ]);
  await settle();
  controller.abort(new Error("stop"));
  expect(await run).toMatchObject({ state: "cancelled", phase: "b" });
  await sequence.settled();
  expect(states()).toEqual(["a failed", "b failed"]);
  expect(clock.pendingTimers).toBe(0);
});

test("every change of state is published with its place in the list", async () => {
  const { run, events } = start([done("a"), { ...done("b"), skip: () => "no" }]);
  await run;
  const told = events.history().map(({ type, payload }) => {
    if (type !== "phase.change") return type;
    const { index, total, status } = payload as SequenceEvents["phase.change"];
    return `${index}/${total} ${status.phase} ${status.state}`;
  });
  expect(told).toEqual([
    "sequence.start",
    "1/2 a running",
    "1/2 a done",
    "2/2 b skipped",
    "sequence.end",
  ]);
});
