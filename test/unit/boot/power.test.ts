import { expect, test } from "vitest";
import { hostPower, machinePower } from "../../../src/boot/power.ts";
import { STOP_LIMITS, type StopMachine } from "../../../src/boot/shutdown.ts";
import { EventBus } from "../../../src/events/bus.ts";
import { SequenceLock } from "../../../src/sequencer/lock.ts";
import type { SequenceEvents } from "../../../src/sequencer/sequence.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { settle } from "../../fakes/turns.ts";

function setUp(over: Partial<StopMachine> = {}) {
  const calls: string[] = [];
  const call = async (name: string): Promise<void> => void calls.push(name);
  const machine: StopMachine = {
    flushResults: () => call("flush"),
    closeApi: () => call("close"),
    terminateJobs: () => void calls.push("terminate"),
    jobsGone: () => call("gone"),
    killJobs: () => call("kill"),
    goDown: (kind) => void calls.push(`go down: ${kind}`),
    ...over,
  };
  const clock = new FakeClock();
  const lock = new SequenceLock(clock);
  const events = new EventBus<SequenceEvents>();
  const power = machinePower({ machine, lock, clock, events, log: new QuietLog() });
  return { calls, power, clock, lock, events };
}

const ORDER = ["flush", "close", "terminate", "gone", "kill"];

test.each(["reboot", "poweroff"] as const)("%s stops everything in order", async (kind) => {
  const { power, calls } = setUp();
  await power[kind]();
  await settle();
  await settle();
  expect(calls).toEqual([...ORDER, `go down: ${kind}`]);
});

test("nothing is stopped before the caller had the chance to publish its result", async () => {
  const { power, calls } = setUp();
  await power.reboot();
  calls.push("result published");
  await settle();
  await settle();
  expect(calls[0]).toBe("result published");
});

test("a part that hangs costs its time limit, not the stop", async () => {
  const { power, calls, clock } = setUp({
    flushResults: () => new Promise(() => {}),
    closeApi: () => new Promise(() => {}),
    jobsGone: () => new Promise(() => {}),
    killJobs: () => new Promise(() => {}),
  });
  await power.poweroff();
  const { flushMs, closeMs, jobsMs, killMs } = STOP_LIMITS;
  for (const limitMs of [flushMs, closeMs, jobsMs, killMs]) {
    await settle();
    clock.advance(limitMs);
  }
  await settle();
  expect(calls).toEqual(["terminate", "go down: poweroff"]);
});

test("a part that fails does not stop the stop", async () => {
  const { power, calls, events } = setUp({
    closeApi: () => Promise.reject(new Error("listener is stuck")),
  });
  await power.reboot();
  await settle();
  await settle();
  expect(calls.at(-1)).toBe("go down: reboot");
  const reasons = events
    .history()
    .filter(({ type }) => type === "phase.change")
    .map(({ payload }) => (payload as SequenceEvents["phase.change"]).status)
    .filter(({ state }) => state === "failed")
    .map(({ reason }) => reason);
  expect(reasons).toEqual(["listener is stuck"]);
});

test("a machine that goes down refuses to be asked again", async () => {
  const { power } = setUp({ flushResults: () => new Promise(() => {}) });
  await power.reboot();
  await expect(power.poweroff()).rejects.toMatchObject({
    code: 412,
    message: "Cannot poweroff: reboot is already under way",
  });
});

test("going down interrupts a boot", async () => {
  const { power, lock, calls } = setUp();
  const boot = lock.run(
    "boot",
    (signal) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
  );
  await power.reboot();
  await boot;
  await settle();
  await settle();
  expect(calls.at(-1)).toBe("go down: reboot");
});

test("on a host both commands fail with code 406 and touch nothing", async () => {
  const power = hostPower();
  await expect(power.reboot()).rejects.toMatchObject({ code: 406 });
  await expect(power.poweroff()).rejects.toMatchObject({ code: 406 });
});
