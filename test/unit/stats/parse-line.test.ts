import { expect, test } from "vitest";
import { parseLine } from "../../../src/stats/parse-line.ts";

const EMPTY_TAG = [["", ""]];

test.each([
  ["m:1|A", { metric: "m", value: 1, op: "A", tags: EMPTY_TAG }],
  ["my.metric-1:-2.5|D|", { metric: "my.metric-1", value: -2.5, op: "D", tags: EMPTY_TAG }],
  ["m:1e3|A|id=x", { metric: "m", value: 1000, op: "A", tags: [["id", "x"]] }],
  [
    "m:.5|A|z=1,id=sda,a=",
    {
      metric: "m",
      value: 0.5,
      op: "A",
      tags: [
        ["a", ""],
        ["id", "sda"],
        ["z", "1"],
      ],
    },
  ],
  ["m:1|A|a=b=c", { metric: "m", value: 1, op: "A", tags: [["a", "b=c"]] }],
  ["m:1|A|flag", { metric: "m", value: 1, op: "A", tags: [["flag", ""]] }],
  ["m:1|A|a=1,a=2", { metric: "m", value: 1, op: "A", tags: [["a", "2"]] }],
  ["m:1|A|a=1|b=2", { metric: "m", value: 1, op: "A", tags: EMPTY_TAG }],
  ["m:+0|A", { metric: "m", value: 0, op: "A", tags: EMPTY_TAG }],
])("reads %s", (line, sample) => {
  expect(parseLine(line)).toStrictEqual(sample);
});

test.each([
  "",
  "m",
  "m:1",
  "m|A",
  ":1|A",
  "m:|A",
  "m:x|A",
  "m:1:2|A",
  "m:0x10|A",
  "m: 1|A",
  "m:NaN|A",
  "m:Infinity|A",
  "m:1e999|A",
  "m:1|",
  "m:1|B",
  "m:1|AD",
  "m:1|A\r",
  `m:1|A|${Array.from({ length: 33 }, (_, at) => `t${at}=1`).join(",")}`,
  `${"m".repeat(5000)}:1|A`,
])("cannot use %j", (line) => {
  expect(parseLine(line)).toBeUndefined();
});
