import { expect, test } from "vitest";
import { OutputLines } from "../../../src/service/output-lines.ts";
import { FakeClock } from "../../fakes/clock.ts";

function setUp() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const dropped: number[] = [];
  const output = new OutputLines({
    clock,
    onLine: (line) => lines.push(line),
    onDropped: (count) => dropped.push(count),
  });
  return { clock, lines, dropped, output };
}

test("lines are put together from any pieces", () => {
  const { output, lines } = setUp();
  for (const piece of "one\ntwo\r\n\nthr") output.push(piece);
  expect(lines).toStrictEqual(["one", "two"]);
  output.flush();
  expect(lines).toStrictEqual(["one", "two", "thr"]);
});

test("control characters never reach the log", () => {
  const { output, lines } = setUp();
  output.push("a\u001b[31mred\u0000\tend\n");
  expect(lines).toStrictEqual(["a [31mred end"]);
});

test("a line without end is cut", () => {
  const { output, lines } = setUp();
  output.push("x".repeat(2000));
  expect(lines.map(({ length }) => length)).toStrictEqual([500]);
});

test("a flood is cut to a few lines a second, and the rest is counted", () => {
  const { clock, output, lines, dropped } = setUp();
  output.push("x\n".repeat(1000));
  expect(lines).toHaveLength(50);
  clock.advance(1000);
  output.push("after\n");
  expect(dropped).toStrictEqual([950]);
  expect(lines.at(-1)).toBe("after");
  expect(output.last).toBe("after");
});
