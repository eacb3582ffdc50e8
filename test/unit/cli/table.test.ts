import { expect, test } from "vitest";
import { choosePaint } from "../../../src/cli/paint.ts";
import { formatValue } from "../../../src/cli/render.ts";
import { formatPairs, formatTable } from "../../../src/cli/table.ts";
import { formatBytes, formatDuration, formatMs } from "../../../src/cli/units.ts";

const terminal = { isTerminal: true, size: undefined, write: async () => undefined };
const file = { isTerminal: false, size: undefined, write: async () => undefined };
const plain = choosePaint(file, {});

test("pads every column but the last", () => {
  expect(formatTable(["A", "LONG"], [["xxx", "y"]], plain)).toBe("A    LONG\nxxx  y\n");
});

test("pads coloured cells by what is seen", () => {
  const paint = choosePaint(terminal, {});
  const table = formatTable(["S", "B"], [[{ text: "ok", style: "green" }, "y"]], paint);

  expect(table.split("\n")[1]).toBe("\u001b[32mok\u001b[0m  y");
});

test("lets no control character of a machine reach the terminal", () => {
  expect(formatPairs([["a", "x\u001b[2Jy\nz"]], plain)).toBe("a  x [2Jy z\n");
});

test.each([
  ["a file", file, {}],
  ["NO_COLOR", terminal, { NO_COLOR: "1" }],
  ["a dumb terminal", terminal, { TERM: "dumb" }],
])("uses no colour for %s", (_name, output, env) => {
  expect(choosePaint(output, env)("red", "x")).toBe("x");
});

test("ignores an empty NO_COLOR", () => {
  expect(choosePaint(terminal, { NO_COLOR: "" })("red", "x")).toBe("\u001b[31mx\u001b[0m");
});

test("shows a list of objects with all their members as columns", () => {
  expect(formatValue([{ a: 1 }, { b: ["x", "y"], a: null }], plain)).toBe("A  B\n1  -\n-  x y\n");
});

test("shows an object by names and other values as they are", () => {
  expect(formatValue({ a: { b: 1 }, cc: true }, plain)).toBe('a   {"b":1}\ncc  true\n');
  expect(formatValue("PONG", plain)).toBe("PONG\n");
  expect(formatValue(["x", 1], plain)).toBe("x\n1\n");
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [1024 ** 3, "1.0 GiB"],
  [300 * 1024 ** 2, "300 MiB"],
])("formats %d bytes", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, "0 s"],
  [59.9, "59 s"],
  [3600, "1 h"],
  [90_061, "1 d 1 h"],
  [125, "2 min 5 s"],
  [-3, "0 s"],
])("formats %d seconds", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("formats milliseconds as seconds", () => {
  expect(formatMs(1234)).toBe("1.23 s");
});
