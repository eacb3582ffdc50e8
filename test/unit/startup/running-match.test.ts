import { describe, expect, test } from "vitest";
import { parseExpression, RunningMatch } from "../../../src/startup/running-match.ts";

const find = (text: string): RunningMatch => new RunningMatch(parseExpression(text));

test.each([
  ["ready", "not yet\nready now\n", true],
  ["^ready$", "ready\r\n", true],
  ["^ready$", "already\n", false],
  ["ready", "ready", false],
  ["(?i)listening on \\d+", "Listening ON 80\n", true],
  ["(?P<port>\\d+)", "port 80\n", true],
  ["\\Aready\\z", "ready\n", true],
  ["a.*b", "a\nb\n", false],
])("%j on %j: %j", (expression, text, wanted) => {
  expect(find(expression).push(1, text)).toBe(wanted);
});

test("a line is one line however it is cut into pieces", () => {
  const text = "starting\nlistening on 80\n";
  for (let cut = 0; cut < text.length; cut += 1) {
    const match = find("^listening on 80$");
    const found = [match.push(1, text.slice(0, cut)), match.push(1, text.slice(cut))];
    expect(found).toContain(true);
  }
});

test("lines of two levels are not mixed", () => {
  const match = find("^ab$");
  expect([match.push(1, "a"), match.push(2, "b\n"), match.push(1, "b\n")]).toEqual([
    false,
    false,
    true,
  ]);
});

test("the end of the output ends its last line", () => {
  const match = find("^done$");
  expect([match.push(1, "done"), match.end(), match.end()]).toEqual([false, true, false]);
});

test("an endless line costs no more memory than its beginning", () => {
  const match = find("x$");
  for (let read = 0; read < 1000; read += 1) expect(match.push(1, "y".repeat(32_768))).toBe(false);
  expect(match.push(1, "x\n")).toBe(false);
});

test("an expression that would take for ever is given up, and says so", () => {
  const match = find("^(a+)+$");
  const before = performance.now();
  expect(() => match.push(1, `${"a".repeat(60)}b\n`)).toThrow(/takes more than 100 ms/);
  expect(performance.now() - before).toBeLessThan(5000);
});

describe("expressions that cannot be used", () => {
  test.each(["(a", "[", "a**", "\\Qa\\E", "[[:alpha:]]", "\\p{L}", "(?x)a"])("%j", (text) => {
    expect(() => find(text)).toThrow(/^Cannot use running_match "/);
  });
});
