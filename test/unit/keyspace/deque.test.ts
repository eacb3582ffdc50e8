import { expect, test } from "vitest";
import { Deque } from "../../../src/keyspace/deque.ts";

const all = (deque: Deque): string[] => deque.slice(0, deque.length);

test("behaves like an array under any mix of operations", () => {
  const deque = new Deque();
  const model: string[] = [];
  let state = 1;
  for (let step = 0; step < 20_000; step += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    // Phases of growth and of shrinking, so that the ring is resized both ways.
    const isGrowing = Math.floor(step / 2000) % 2 === 0;
    const choice = (state >>> 16) % 6;
    const value = String(step);
    if (choice < (isGrowing ? 2 : 1)) {
      deque.pushRight(value);
      model.push(value);
    } else if (choice < (isGrowing ? 4 : 2)) {
      deque.pushLeft(value);
      model.unshift(value);
    } else if (choice === 4) {
      expect(deque.popLeft()).toBe(model.shift());
    } else {
      expect(deque.popRight()).toBe(model.pop());
    }
    expect(deque.length).toBe(model.length);
    if (step % 500 === 0) expect(all(deque)).toEqual(model);
  }
});

test("gives undefined beyond its ends", () => {
  const deque = new Deque();
  expect(deque.popLeft()).toBeUndefined();
  expect(deque.popRight()).toBeUndefined();
  deque.pushRight("a");
  expect([deque.at(-1), deque.at(0), deque.at(1)]).toEqual([undefined, "a", undefined]);
});

test("can be filled at once", () => {
  const deque = new Deque();
  deque.pushLeft("old");
  deque.assign(["a", "b", "c"]);
  deque.pushLeft("first");
  expect(all(deque)).toEqual(["first", "a", "b", "c"]);
});
