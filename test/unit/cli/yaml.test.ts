import { expect, test } from "vitest";
import { formatYaml } from "../../../src/cli/yaml.ts";

test("writes nested values in block style", () => {
  const value = {
    name: "eth0",
    addrs: [{ addr: "10.0.0.1/8", up: true }, {}],
    tags: [],
    list: [[1, 2]],
  };

  expect(formatYaml(value)).toBe(
    [
      "name: eth0",
      "addrs:",
      '  - addr: "10.0.0.1/8"',
      "    up: true",
      "  - {}",
      "tags: []",
      "list:",
      "  - - 1",
      "    - 2",
      "",
    ].join("\n"),
  );
});

test.each(["eth0", "a b", "/dev/sda", "x.y@z", "core.ping", "a-b_c+d"])(
  "writes the plain text %j without quotes",
  (text) => {
    expect(formatYaml(text)).toBe(`${text}\n`);
  },
);

test.each([
  "",
  " a",
  "a ",
  "true",
  "No",
  "Y",
  "null",
  "~",
  "1",
  "0x1f",
  "1e3",
  "2026-01-01",
  "12:30",
  "a: b",
  "a:b",
  "a #b",
  "#a",
  "-",
  "- a",
  "?",
  "*a",
  "&a",
  "!a",
  "%a",
  "@a",
  "`a",
  "[a",
  "{a",
  "a,b",
  "'a'",
  '"a"',
  "a\\b",
  "a\nb",
  "a\tb",
  ".inf",
  "=",
  "<<",
  "é",
])("quotes the text %j", (text) => {
  const line = formatYaml(text);

  expect(line).toBe(`${JSON.stringify(text)}\n`);
});

test("escapes what a YAML reader refuses inside quotes", () => {
  expect(formatYaml("a\u0085\u2028\ufeff\u007f")).toBe('"a\\u0085\\u2028\\ufeff\\u007f"\n');
});

test("writes numbers so that they stay numbers", () => {
  expect(formatYaml([1, -0.5, 1e21, 1.5e-9])).toBe("- 1\n- -0.5\n- 1.0e+21\n- 1.5e-9\n");
});

test("quotes member names like any other text", () => {
  expect(formatYaml({ on: 1, "a b": 2, "1": 3 })).toBe('"1": 3\n"on": 1\na b: 2\n');
});

test("leaves out what JSON leaves out", () => {
  expect(formatYaml({ a: undefined, b: null })).toBe("b: null\n");
});
