import { expect, test } from "vitest";
import { Capture } from "../../../src/job/capture.ts";
import { MessageRing } from "../../../src/job/message-ring.ts";

function captureOf(messages: readonly [level: number, text: string][]): Capture {
  const capture = new Capture();
  for (const [level, text] of messages) {
    capture.record({ jobId: "a", level, text, flags: 0, epochNs: 0n });
  }
  return capture;
}

test("levels 1 and 2 are the two streams", () => {
  const capture = captureOf([
    [1, "a\n"],
    [2, "b\n"],
    [3, "c\n"],
    [1, "d"],
  ]);
  expect(capture.streams()).toEqual(["a\nd", "b\n"]);
});

test("a stream keeps its last 100 messages", () => {
  const lines = Array.from({ length: 150 }, (_, i): [number, string] => [1, `${i}\n`]);
  const kept = captureOf(lines).streams()[0].split("\n").slice(0, -1);
  expect(kept).toHaveLength(100);
  expect(kept.at(0)).toBe("50");
});

test("the exit message takes one of the 100 places", () => {
  const lines = Array.from({ length: 150 }, (_, i): [number, string] => [1, `${i}\n`]);
  const kept = captureOf([...lines, [1, ""]])
    .streams()[0]
    .split("\n")
    .slice(0, -1);
  expect(kept).toHaveLength(99);
});

test.each([20, 21, 22, 23, 30])("the last message of level %i is the data", (level) => {
  const capture = captureOf([
    [20, "first"],
    [level, "last"],
    [24, "other"],
    [1, "out"],
  ]);
  expect([capture.level, capture.data]).toEqual([level, "last"]);
});

test("without a result message level and data are empty", () => {
  const capture = captureOf([
    [19, "a"],
    [24, "b"],
    [29, "c"],
    [31, "d"],
  ]);
  expect([capture.level, capture.data]).toEqual([0, ""]);
});

test("the last message of level 9 is the critical text", () => {
  expect(
    captureOf([
      [9, "a"],
      [9, "b"],
      [8, "c"],
    ]).critical,
  ).toBe("b");
});

test("the backlog is the last 10 messages of all levels", () => {
  const lines = Array.from({ length: 12 }, (_, i): [number, string] => [i, `${i}`]);
  const texts = captureOf(lines)
    .backlog()
    .map(({ text }) => text);
  expect(texts).toEqual(["2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
});

test("the oldest messages leave when their texts are too long together", () => {
  const ring = new MessageRing({ messages: 10, units: 5 });
  for (const text of ["aa", "bb", "cc"]) ring.push({ text });
  expect(ring.text()).toBe("bbcc");
});

test("a message longer than the limit stays until the next", () => {
  const ring = new MessageRing({ messages: 10, units: 2 });
  ring.push({ text: "aaaa" });
  expect(ring.text()).toBe("aaaa");
  ring.push({ text: "b" });
  expect(ring.text()).toBe("b");
});
