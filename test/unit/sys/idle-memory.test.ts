import { expect, test } from "vitest";
import { IdleMemory, releaseV8Memory, v8HeapBytes } from "../../../src/sys/idle-memory.ts";
import { FakeClock } from "../../fakes/clock.ts";

const MIB = 1024 * 1024;

function setUp() {
  const clock = new FakeClock();
  const heap = { bytes: 20 * MIB, releases: 0 };
  const memory = new IdleMemory({
    clock,
    heapBytes: () => heap.bytes,
    release: () => {
      heap.releases += 1;
      heap.bytes = 22 * MIB;
    },
  });
  return { clock, heap, memory };
}

test("after a burst memory is given back once nothing has happened for a while", () => {
  const { clock, heap, memory } = setUp();
  memory.touch();
  heap.bytes = 90 * MIB;
  for (let second = 0; second < 30; second += 1) {
    clock.advance(1000);
    memory.touch();
  }
  expect(heap.releases).toBe(0);
  clock.advance(8000);
  expect(heap.releases).toBe(1);
  clock.advance(600_000);
  expect([heap.releases, clock.pendingTimers]).toEqual([1, 0]);
});

test("a heap that has hardly grown is left alone", () => {
  const { clock, heap, memory } = setUp();
  memory.touch();
  heap.bytes = 30 * MIB;
  clock.advance(60_000);
  expect([heap.releases, clock.pendingTimers]).toEqual([0, 0]);
});

test("what is still in use after a release is not looked for again", () => {
  const { clock, heap, memory } = setUp();
  memory.touch();
  heap.bytes = 90 * MIB;
  clock.advance(10_000);
  memory.touch();
  heap.bytes = 35 * MIB;
  clock.advance(10_000);
  expect(heap.releases).toBe(1);
});

test("a large heap is left alone until it has grown by half", () => {
  const { clock, heap, memory } = setUp();
  heap.bytes = 200 * MIB;
  memory.touch();
  heap.bytes = 290 * MIB;
  clock.advance(10_000);
  expect(heap.releases).toBe(0);
  memory.touch();
  heap.bytes = 310 * MIB;
  clock.advance(10_000);
  expect(heap.releases).toBe(1);
});

test("V8 does give pages back", () => {
  let garbage: unknown[] = Array.from({ length: 500_000 }, (_, index) => ({ index }));
  const before = v8HeapBytes();
  garbage = [];
  releaseV8Memory();
  expect(garbage).toEqual([]);
  expect(v8HeapBytes()).toBeLessThan(before);
});
