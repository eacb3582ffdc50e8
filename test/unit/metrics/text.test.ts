import { expect, test } from "vitest";
import { byLabel, counter, gauge } from "../../../src/metrics/family.ts";
import { renderMetrics } from "../../../src/metrics/text.ts";
import { parseExposition } from "../../fakes/exposition-parser.ts";

test("metrics have a help, a type and their values", () => {
  const text = renderMetrics([
    counter("a_total", "How many.", 3),
    gauge("b", "Sizes.", byLabel("kind", { x: 1.5, y: 0 })),
    gauge("left_out", "Nothing known.", null),
    gauge("empty", "None there.", []),
  ]);
  expect(text).toBe(
    [
      "# HELP a_total How many.",
      "# TYPE a_total counter",
      "a_total 3",
      "# HELP b Sizes.",
      "# TYPE b gauge",
      'b{kind="x"} 1.5',
      'b{kind="y"} 0',
      "",
    ].join("\n"),
  );
  expect([...parseExposition(text).keys()]).toStrictEqual(["a_total", "b"]);
});

test.each([
  "plain",
  'quote " back \\ line\nend',
  "\\n is no line end",
  '\\"',
  "}{,=",
  "é ☃ 𝄞",
  "\r\t\0",
  "",
  'a="b",c="d"',
])("label %j is read as it was", (value) => {
  const text = renderMetrics([gauge("m", value, [{ labels: { l: value }, value: 1 }])]);
  const family = parseExposition(text).get("m");
  expect(family?.samples).toStrictEqual([{ name: "m", labels: { l: value }, value: 1 }]);
  expect(family?.help).toBe(value);
});

test("a lone surrogate, which UTF-8 cannot carry, is replaced", () => {
  expect(renderMetrics([gauge("m", "h", [{ labels: { l: "\ud800" }, value: 1 }])])).toContain(
    'm{l="\ufffd"} 1',
  );
});

test.each([
  0,
  -1.5,
  1e21,
  1e-7,
  2 ** 53,
  Number.MAX_VALUE,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
])("%d is read as it was", (value) => {
  const family = parseExposition(renderMetrics([gauge("m", "h", value)])).get("m");
  expect(family?.samples[0]?.value).toBe(value);
});

test.each([
  ["m 1", /does not end/],
  ["m 1\n", /another metric/],
  ["# HELP m h\n# TYPE m gauge\n", /no values/],
  ["# TYPE m gauge\nm 1\n", /without its HELP/],
  ["# HELP m h\n# TYPE m gauge\nm 1\nm 2\n", /twice/],
  ["# HELP m h\n# TYPE m counter\nm 1\n", /_total/],
  ['# HELP m h\n# TYPE m gauge\nm{a="x"b="y"} 1\n', /labels/],
  ['# HELP m h\n# TYPE m gauge\nm{a="\\x"} 1\n', /escaping/],
  ["# HELP m h\n# TYPE m gauge\nm 0x1\n", /number/],
  ["# HELP m h\n# TYPE m gauge\n\nm 1\n", /neither comment/],
])("the reader refuses %j", (text, why) => {
  expect(() => parseExposition(text)).toThrow(why);
});
