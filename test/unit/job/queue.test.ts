import { expect, test } from "vitest";
import { SerialQueues } from "../../../src/job/queue.ts";

test("one task of a queue runs at a time, in the order they came", () => {
  const queues = new SerialQueues();
  const started: string[] = [];
  for (const name of ["a", "b", "c"]) queues.enter("q", () => started.push(name));
  expect(started).toEqual(["a"]);
  queues.leave("q");
  expect(started).toEqual(["a", "b"]);
  queues.leave("q");
  queues.leave("q");
  expect(started).toEqual(["a", "b", "c"]);
});

test("queues do not wait for each other", () => {
  const queues = new SerialQueues();
  const started: string[] = [];
  queues.enter("q", () => started.push("a"));
  queues.enter("r", () => started.push("b"));
  expect(started).toEqual(["a", "b"]);
});

test("a queue that became empty can be used again", () => {
  const queues = new SerialQueues();
  const started: string[] = [];
  queues.enter("q", () => started.push("a"));
  queues.leave("q");
  queues.enter("q", () => started.push("b"));
  expect(started).toEqual(["a", "b"]);
});

test("a long row of tasks that end at once does not exhaust the stack", () => {
  const queues = new SerialQueues();
  let count = 0;
  queues.enter("q", () => {});
  for (let i = 0; i < 100_000; i += 1) {
    queues.enter("q", () => {
      count += 1;
      queues.leave("q");
    });
  }
  queues.leave("q");
  expect(count).toBe(100_000);
});
