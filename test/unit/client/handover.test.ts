import { expect, test } from "vitest";
import { Handover } from "../../../src/client/handover.ts";

const collect = async (handover: Handover<number>): Promise<number[]> => {
  const seen: number[] = [];
  for await (const value of handover) seen.push(value);
  return seen;
};

test("values put before and during the loop arrive in order, then it ends", async () => {
  const handover = new Handover<number>(() => undefined);
  void handover.put(1);
  void handover.put(2);
  const collecting = collect(handover);
  await handover.put(3);
  handover.end();
  expect(await collecting).toEqual([1, 2, 3]);
});

test("what was put before the end still arrives, an error after it", async () => {
  const handover = new Handover<number>(() => undefined);
  void handover.put(1);
  handover.end({ error: new Error("broken") });
  expect(await handover.next()).toEqual({ value: 1, done: false });
  await expect(handover.next()).rejects.toThrow("broken");
  expect(await handover.next()).toEqual({ value: undefined, done: true });
});

test("a loop that waits is told of the end and of its error", async () => {
  const ended = new Handover<number>(() => undefined);
  const waiting = collect(ended);
  ended.end();
  expect(await waiting).toEqual([]);
  const failed = new Handover<number>(() => undefined);
  const failing = collect(failed);
  failed.end({ error: new Error("broken") });
  await expect(failing).rejects.toThrow("broken");
});

test("put waits until the loop has taken the value", async () => {
  const handover = new Handover<number>(() => undefined);
  let isTaken = false;
  const put = handover.put(1).then(() => {
    isTaken = true;
  });
  await Promise.resolve();
  expect(isTaken).toBe(false);
  await handover.next();
  await put;
});

test("leaving the loop frees those who put, and is told once", async () => {
  let left = 0;
  const handover = new Handover<number>(() => {
    left += 1;
  });
  const puts = [handover.put(1), handover.put(2), handover.put(3)];
  for await (const value of handover) {
    expect(value).toBe(1);
    break;
  }
  await Promise.all([...puts, handover.put(4)]);
  await handover.return();
  expect(left).toBe(1);
});
