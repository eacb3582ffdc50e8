import { expect, test } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { nearestWord } from "../../../src/cli/nearest.ts";
import { parseLine } from "../../../src/cli/parse.ts";

const parse = (...words: string[]) => parseLine(words, COMMANDS);

const usage = (text: string) =>
  expect.objectContaining({ code: "E_USAGE", message: expect.stringContaining(text) });

test("takes the value of an option from the same word or the next one", () => {
  for (const words of [
    ["--output", "json"],
    ["--output=json"],
    ["-o", "json"],
    ["-ojson"],
    ["-o=json"],
  ]) {
    expect(parse("jobs", ...words).input.text("output")).toBe("json");
  }
});

test("takes global options before and after the command", () => {
  const { command, input } = parse("--host", "a", "ping", "--port", "7");

  expect(command?.name).toBe("ping");
  expect(input.text("host")).toBe("a");
  expect(input.number("port")).toBe(7);
});

test("leaves the words after -- alone", () => {
  const { input } = parse("run", "--dir", "/x", "--", "ls", "-l", "--dir", "--", "y");

  expect(input.operands).toEqual(["ls", "-l", "--dir", "--", "y"]);
  expect(input.text("dir")).toBe("/x");
});

test("ends the options of run at the program, also without --", () => {
  expect(parse("run", "ls", "-o", "x", "--help").input.operands).toEqual([
    "ls",
    "-o",
    "x",
    "--help",
  ]);
});

test("takes options of other commands after their operands", () => {
  const { input } = parse("kill", "id", "--signal", "9");

  expect(input.operands).toEqual(["id"]);
  expect(input.text("signal")).toBe("9");
});

test("takes a single dash for an operand", () => {
  expect(parse("call", "bash", "-").input.operands).toEqual(["bash", "-"]);
});

test("collects a repeatable option", () => {
  const { input } = parse("run", "--env", "A=1", "-e", "B=2", "--", "env");

  expect(input.list("env")).toEqual(["A=1", "B=2"]);
});

test("switches an option that is on by default off with --no-", () => {
  expect(parse("run", "--no-stream", "--", "x").input.flag("stream", true)).toBe(false);
  expect(parse("run", "--", "x").input.flag("stream", true)).toBe(true);
});

test.each([
  [["pnig"], 'command "pnig"; did you mean ping?'],
  [["frobnicate"], 'command "frobnicate"'],
  [["ping", "--hsot", "x"], 'option "--hsot"; did you mean --host?'],
  [["ping", "-z"], 'option "-z"'],
  [["ping", "--no-help"], 'option "--no-help"'],
  [["info", "nik"], "did you mean nic?"],
  [["info", "zzzzzz"], "expected one of cpu, mem"],
  [["ping", "x"], "one word too many"],
  [["kill"], "ID is missing"],
  [["run", "--"], "CMD is missing"],
  [["jobs", "-o"], "-o without a value"],
  [["jobs", "-o", "xml"], "expected one of table, json, yaml"],
  [["jobs", "-o", "json", "-o", "yaml"], "-o twice"],
  [["ping", "--port", "0"], "a whole number from 1 to 65535"],
  [["ping", "--port", "1e3"], "expected a whole number"],
  [["ping", "--timeout", "-1"], "expected a number"],
  [["run", "--max-time", "1.5", "--", "x"], "expected a whole number"],
  [["reboot", "--yes=no"], "--yes a value"],
])("refuses %j: %s", (words, text) => {
  expect(() => parse(...words)).toThrow(usage(text));
});

test("does not ask for operands when help is wanted", () => {
  expect(parse("kill", "--help").input.flag("help")).toBe(true);
});

test("suggests nothing for a word that is like no other", () => {
  expect(nearestWord("frobnicate", ["ping", "run"])).toBeUndefined();
  expect(nearestWord("stat", ["status", "start"])).toBe("status");
});
