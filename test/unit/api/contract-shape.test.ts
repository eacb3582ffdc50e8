import { expect, test } from "vitest";
import { readContract, type Shape, shapeFaults, wrongValues } from "../../fixtures/contract.ts";

test.each<[Shape, unknown, number]>([
  ["string", "", 0],
  ["string", null, 1],
  ["string|null", null, 0],
  ["integer", 1.5, 1],
  ["number", 1.5, 0],
  ["object", [], 1],
  [null, null, 0],
  [null, undefined, 1],
  [["string"], [], 0],
  [["string"], ["a", 5], 1],
  [["string"], null, 1],
  [["string", null], null, 0],
  [{ a: "string" }, { a: "", b: 5 }, 0],
  [{ a: "string" }, {}, 1],
  [{ "a?": "string" }, {}, 0],
  [{ "a?": "string" }, { a: null }, 1],
  [{ "<key>": "integer" }, { x: 1, y: "" }, 1],
  [{ "<key>": "integer" }, null, 1],
  [{ "<key>|null": "integer" }, null, 0],
  [{ a: [{ b: "integer" }] }, { a: [{ b: 1 }, { b: "" }] }, 1],
])("shape %j and value %j have %i faults", (shape, value, count) => {
  expect(shapeFaults(shape, value)).toHaveLength(count);
});

test("every type of an argument has wrong values", () => {
  const types = readContract()
    .filter(({ family }) => !["corex", "kvm"].includes(family))
    .flatMap((command) => command.arguments.map(({ type }) => type));
  for (const type of types) expect(wrongValues(type).length).toBeGreaterThan(2);
});
