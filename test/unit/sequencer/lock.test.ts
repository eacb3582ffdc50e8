import { expect, test } from "vitest";
import { SequenceLock, type SequenceName } from "../../../src/sequencer/lock.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { settle } from "../../fakes/turns.ts";

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve()));

const RULES: [SequenceName, SequenceName, boolean][] = [
  ["boot", "reboot", true],
  ["boot", "poweroff", true],
  ["boot", "boot", false],
  ["reboot", "boot", false],
  ["reboot", "poweroff", false],
  ["reboot", "reboot", false],
  ["poweroff", "boot", false],
  ["poweroff", "reboot", false],
  ["poweroff", "poweroff", false],
];

test.each(RULES)("while %s runs, %s may take over: %s", async (holder, other, mayTakeOver) => {
  const lock = new SequenceLock(new FakeClock());
  const order: string[] = [];
  const held = lock.run(holder, async (signal) => {
    await untilAborted(signal);
    order.push("holder ended");
  });
  await settle();
  const taken = lock.run(other, async () => void order.push("other ran"));
  if (mayTakeOver) {
    await Promise.all([held, taken]);
    expect(order).toEqual(["holder ended", "other ran"]);
  } else {
    await expect(taken).rejects.toMatchObject({ code: "E_SEQUENCE_BUSY" });
    expect(lock.current).toBe(holder);
  }
});

test("a loser that does not end is waited for no longer than the limit", async () => {
  const clock = new FakeClock();
  const lock = new SequenceLock(clock, 5000);
  void lock.run("boot", () => new Promise(() => {}));
  await settle();
  let hasRun = false;
  const taken = lock.run("poweroff", async () => {
    hasRun = true;
  });
  await settle();
  clock.advance(4999);
  await settle();
  expect(hasRun).toBe(false);
  clock.advance(1);
  await taken;
  expect(hasRun).toBe(true);
});

test("the lock is free after its holder, whether that ended well or not", async () => {
  const lock = new SequenceLock(new FakeClock());
  await lock.run("reboot", async () => {});
  await expect(lock.run("boot", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(lock.current).toBeUndefined();
  expect(await lock.run("boot", async () => 7)).toBe(7);
});
