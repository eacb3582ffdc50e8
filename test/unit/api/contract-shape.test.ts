import { expect, test } from "vitest";
import { COMMAND_HELP } from "../../../src/client/generated/help.ts";
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

/** What a type of the contract is called by the commands. */
const TYPE_WORDS: Readonly<Record<string, string>> = {
  "array<string>": "array of string",
  "array<integer>": "array of integer",
  "array<integer|string>": "array of any",
  "object<string,string>": "object, each value string",
};

/** Members of these depend on others: the command checks them itself. */
const LOOSE = ["network.settings"];

test("arguments have the types and defaults of the wire protocol", () => {
  const faults = readContract().flatMap((command) => {
    const help = COMMAND_HELP[command.name];
    if (help === undefined) return [];
    return command.arguments.flatMap((wanted) => {
      const path = `${command.name} ${wanted.name}`;
      if (LOOSE.some((name) => wanted.name.startsWith(name))) return [];
      const seen = help.arguments.find(({ name }) => name === wanted.name);
      if (seen === undefined) return [`${path} is absent`];
      // Programs take the text of any value.
      const type = command.badArguments === "empty" && seen.type === "any" ? "any" : undefined;
      const isType = seen.type === (type ?? TYPE_WORDS[wanted.type] ?? wanted.type);
      const isDefault = isEmpty(seen.default)
        ? isEmpty(wanted.default)
        : JSON.stringify(seen.default) === JSON.stringify(wanted.default);
      return isType && isDefault ? [] : [`${path}: ${seen.type}, ${JSON.stringify(seen.default)}`];
    });
  });
  expect(faults).toEqual([]);
});

/** Nothing at all, in whatever form: no command tells these apart. */
function isEmpty(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).every(isEmpty);
  return [undefined, null, "", 0, false].includes(value as null);
}
