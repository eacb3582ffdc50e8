import { expect, test } from "vitest";
import { KeyspaceJobSink } from "../../../src/api/job-sink.ts";
import type { JobResult } from "../../../src/job/types.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { FakeClock } from "../../fakes/clock.ts";

const STREAMED = 1;
const RECORD_BYTES = 1000;

function setUp(limits: { retention: number; stream: number }) {
  const clock = new FakeClock();
  const keyspace = new Keyspace({ clock });
  const sink = new KeyspaceJobSink(keyspace, limits);
  const run = (id: string, data = ""): void => {
    sink.accepted(id);
    sink.finished(result(id, data));
  };
  const say = (jobId: string, text: string): void =>
    sink.message({ jobId, text, level: 1, flags: STREAMED, epochNs: 1n });
  const keys = (): string[] => [...keyspace.store.entries()].map(({ key }) => key);
  return { clock, keyspace, sink, run, say, keys };
}

const result = (id: string, data: string): JobResult => ({
  id,
  command: "x",
  data,
  level: 0,
  state: "SUCCESS",
  code: 0,
  starttime: 0,
  time: 0,
  tags: null,
  container: 0,
});

test("the job that ended first leaves first: flag, result and stream in one go", () => {
  const { run, say, keys, sink } = setUp({ retention: 10_000, stream: 10_000 });
  say("a", "hello");
  run("a", "x".repeat(3000));
  run("b", "x".repeat(3000));
  expect(sink.isKnown("a")).toBe(true);
  run("c", "x".repeat(4000));
  expect(keys().sort()).toEqual(["result:b", "result:b:flag", "result:c", "result:c:flag"]);
  expect(sink.isKnown("a")).toBe(false);
  expect(sink.keptBytes).toBeLessThanOrEqual(10_000);
});

test("a running job keeps its flag whatever leaves", () => {
  const { run, sink } = setUp({ retention: 5000, stream: 5000 });
  sink.accepted("running");
  for (let index = 0; index < 20; index += 1) run(`job-${index}`, "x".repeat(2000));
  expect(sink.isKnown("running")).toBe(true);
  expect(sink.isKnown("job-19")).toBe(true);
  expect(sink.isKnown("job-0")).toBe(false);
});

test("the newest result stays although it is longer than the limit", () => {
  const { run, keys } = setUp({ retention: 1000, stream: 1000 });
  run("a", "x".repeat(5000));
  expect(keys()).toContain("result:a");
  run("b", "x".repeat(5000));
  expect(keys().sort()).toEqual(["result:b", "result:b:flag"]);
});

test("what expired or was taken by a client is not counted any more", () => {
  const { clock, keyspace, run, say, sink } = setUp({ retention: 100_000, stream: 100_000 });
  run("a", "x".repeat(3000));
  say("a", "hello");
  keyspace.lists.pop("result:a", "left");
  keyspace.lists.pop("stream:a", "left");
  const flagAlone = sink.keptBytes;
  expect(flagAlone).toBeLessThan(1000);
  run("b");
  clock.advance(302_000);
  expect(keyspace.store.size).toBe(0);
  expect(sink.keptBytes).toBe(0);
});

test("a result that a waiting client took away is not an entry to drop later", () => {
  const { keyspace, run, sink } = setUp({ retention: 2000, stream: 2000 });
  const wait = { keys: ["result:a"], from: "left", timeoutMs: 0, done: () => {} } as const;
  keyspace.blocking.wait(wait);
  run("a", "x".repeat(1500));
  run("b", "x".repeat(1500));
  run("c", "x".repeat(1500));
  expect(sink.isKnown("c")).toBe(true);
  expect(sink.isKnown("b")).toBe(false);
});

test("an id that is used again after its time is not dropped with its first job", () => {
  const { clock, run, sink } = setUp({ retention: 6000, stream: 6000 });
  run("a");
  clock.advance(302_000);
  run("b", "x".repeat(2000));
  run("a", "x".repeat(2000));
  run("c", "x".repeat(2000));
  expect([sink.isKnown("b"), sink.isKnown("a"), sink.isKnown("c")]).toEqual([false, true, true]);
});

test("a stream keeps its newest records within its bytes", () => {
  const { keyspace, say } = setUp({ retention: 1_000_000, stream: 5000 });
  for (let index = 0; index < 50; index += 1) say("a", `${index} ${"x".repeat(400)}`);
  const stream = keyspace.lists.find("stream:a");
  expect(stream?.sizeBytes).toBeLessThanOrEqual(5000);
  const records = keyspace.lists.range("stream:a", 0, -1);
  expect(records.length).toBeGreaterThan(5);
  expect(records.at(-1)).toContain('"message":"49 ');
});

test("one record longer than the stream may be is still delivered", () => {
  const { keyspace, say } = setUp({ retention: 1_000_000, stream: 5000 });
  say("a", "first");
  say("a", "x".repeat(9000));
  expect(keyspace.lists.length("stream:a")).toBe(1);
});

test("streams of running jobs make room too, and end with their newest record", () => {
  const { keyspace, run, say, sink } = setUp({ retention: 20_000, stream: 15_000 });
  run("done");
  for (const id of ["a", "b", "c"]) {
    for (let index = 0; index < 30; index += 1) say(id, `${index} ${"x".repeat(400)}`);
  }
  // The newest record of each stream stays beyond the limit: a reader waits for it.
  expect(sink.keptBytes).toBeLessThanOrEqual(20_000 + RECORD_BYTES);
  expect(sink.isKnown("done")).toBe(false);
  expect(keyspace.lists.range("stream:c", -1, -1)[0]).toContain('"message":"29 ');
});

test("what a client stored under a key of a job gives way to the job", () => {
  const { keyspace, run, say, keys } = setUp({ retention: 10_000, stream: 10_000 });
  for (const key of ["result:a", "result:a:flag", "stream:a"]) keyspace.store.insertString(key, "");
  say("a", "hello");
  run("a");
  expect(keys().sort()).toEqual(["result:a", "result:a:flag", "stream:a"]);
  expect(keyspace.lists.length("result:a")).toBe(1);
});
