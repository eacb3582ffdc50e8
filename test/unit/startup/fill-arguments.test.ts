import { describe, expect, test } from "vitest";
import { fillArguments } from "../../../src/startup/fill-arguments.ts";

const values = (given: Record<string, string>) => new Map(Object.entries(given));

describe("a value stays within the text it is put into, whatever it holds", () => {
  test.each([
    ["quotes", `a"b'c`],
    ["a command", "$(reboot) `reboot` ; reboot & | > /x"],
    ["line ends", "a\nb\r\n"],
    ["an option", "--help"],
    ["a place for another value", "{other}{value}"],
    ["a zero byte", "a\0b"],
    ["patterns of a replacement", "$& $1 $$ $`"],
    ["nothing", ""],
    ["a large number", "1000000"],
    ["100 000 characters", "x".repeat(100_000)],
  ])("%s", (_, value) => {
    const args = { name: "prog", args: ["-n", "{value}", "<{value}>"], env: { A: "{value}" } };
    expect(fillArguments(args, values({ value, other: "never" }), false)).toEqual({
      name: "prog",
      args: ["-n", value, `<${value}>`],
      env: { A: value },
    });
  });
});

test("places without a value, numbers and names of keys stay as they are", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: scripts write their own variables like this
  const args = { "{value}": "{none} {} { value } ${HOME} {value", port: 6379, on: true, list: [1] };
  expect(fillArguments(args, values({ value: "x" }), false)).toEqual(args);
});

test("large integers and times become what JSON knows", () => {
  const args = { at: new Date(0), list: [10_000_000_000n] };
  expect(fillArguments(args, values({}), false)).toEqual({
    at: "1970-01-01T00:00:00.000Z",
    list: [10_000_000_000],
  });
});

test("names that every object has are no values and no danger", () => {
  const args = JSON.parse('{"__proto__": {"a": "{constructor}"}, "x": "{__proto__}"}') as object;
  const filled = fillArguments(args as Record<string, unknown>, values({}), false);
  expect(JSON.stringify(filled)).toBe(JSON.stringify(args));
  expect(Object.getPrototypeOf(filled)).toBe(Object.prototype);
});

describe("into a script goes only what means nothing to a shell", () => {
  test.each(["abcdef0123456789", "http://host:80/a_b.c", "zt*".slice(0, 2), "a@b%+,=-", ""])(
    "%j is put in",
    (value) => {
      expect(fillArguments({ script: "echo {value}" }, values({ value }), true)).toEqual({
        script: `echo ${value}`,
      });
    },
  );

  test.each([
    "a b",
    "$HOME",
    "`id`",
    "a;b",
    'a"b',
    "a'b",
    "a\nb",
    "*",
    "~",
    "a|b",
    "é",
    "a\\b",
    "(a)",
    "#",
  ])("%j is refused, and not shown", (value) => {
    const fill = () => fillArguments({ script: "echo {value}" }, values({ value }), true);
    expect(fill).toThrow(/^Cannot put the value of value into a script: another character seen/);
  });
});

describe("conditions of keys", () => {
  const port = { port: 6379, "zerotier| interface": "zt*", "not(zerotier)|interface": "eth0" };

  test("choose between arguments", () => {
    const with1 = fillArguments(port, values({ zerotier: "" }), false);
    expect(with1).toEqual({ port: 6379, interface: "zt*" });
    expect(fillArguments(port, values({}), false)).toEqual({ port: 6379, interface: "eth0" });
  });

  test("count in tables of tables and of arrays", () => {
    const args = { nics: [{ "a|type": "x", "b|type": "y" }], env: { "a|HOME": "/" } };
    expect(fillArguments(args, values({ b: "1" }), false)).toEqual({
      nics: [{ type: "y" }],
      env: {},
    });
  });

  test("that are none are refused", () => {
    expect(() => fillArguments({ "a b|c": 1 }, values({}), false)).toThrow(
      /^Cannot use condition "a b"/,
    );
  });
});
