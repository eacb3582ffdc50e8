import { describe, expect, test } from "vitest";
import { loadCommands } from "../../../src/api/load-commands.ts";
import { CommandRegistry, toExecutable } from "../../../src/api/registry.ts";
import { builtin, type Services } from "../../../src/api/services.ts";
import { integer, object, withDefault } from "../../../src/base/schema.ts";
import type { JobHandle } from "../../../src/command/command.ts";
import { PING_COMMAND, SYSTEM_COMMAND } from "./harness.ts";

const SERVICES = {} as Services;
const JOB: JobHandle = { id: "a", emit: () => {}, signal: new AbortController().signal };

const COUNTING = builtin({
  name: "test.count",
  summary: "Counts",
  scope: "host",
  access: "read",
  result: "integer",
  args: object({ start: integer(), step: withDefault(integer(), 1) }, ["start"]),
  run: (_services, { start, step }) => start + step,
});

function run(command: typeof COUNTING, args: unknown): unknown {
  const executable = toExecutable(command, SERVICES);
  if (executable.kind !== "builtin") throw new Error("not a built-in");
  return executable.run(args, JOB);
}

describe("a built-in", () => {
  test("gets its arguments with defaults, null counting as absent", () => {
    expect(run(COUNTING, { start: 5, step: null })).toBe(6);
  });

  test.each([
    [undefined, "Cannot run test.count: no arguments seen, expected an object"],
    [null, "Cannot run test.count: no arguments seen, expected an object"],
    [{}, "Cannot use arguments.start: nothing seen, expected a value"],
    [{ start: "x" }, 'Cannot use arguments.start: "x" seen, expected an integer'],
  ])("that reads its arguments fails on %j with code 500", (args, message) => {
    expect(() => run(COUNTING, args)).toThrow(expect.objectContaining({ code: 500, message }));
  });

  test("that names code 400 for arguments it cannot decode fails with that", () => {
    if (COUNTING.kind !== "builtin") throw new Error("not a built-in");
    const strict = { ...COUNTING, badArguments: 400 as const };
    expect(() => run(strict, { start: "x" })).toThrow(expect.objectContaining({ code: 400 }));
    expect(() => run(strict, null)).toThrow(expect.objectContaining({ code: 500 }));
  });

  test.each([[undefined], [null], ["text"], [{}]])("without arguments runs with %j", (args) => {
    expect(run(PING_COMMAND, args)).toBe("PONG");
  });

  test("has level 20 unless it says otherwise", () => {
    expect(toExecutable(PING_COMMAND, SERVICES)).toMatchObject({ level: 20 });
  });
});

describe("a program", () => {
  const build = (args: unknown): unknown => {
    const executable = toExecutable(SYSTEM_COMMAND, SERVICES);
    if (executable.kind !== "process") throw new Error("not a program");
    return executable.build(args);
  };

  test("is built from its arguments", () => {
    expect(build({ name: "ls", args: ["-l"] })).toMatchObject({ name: "ls", args: ["-l"] });
  });

  test("fails without arguments", () => {
    expect(() => build(undefined)).toThrow("Cannot run core.system: no arguments seen");
  });
});

test("two commands of one name are refused", () => {
  expect(() => new CommandRegistry([PING_COMMAND, PING_COMMAND])).toThrow(
    "Cannot register core.ping",
  );
});

test("every command file exports a command named after its path", async () => {
  const commands = await loadCommands();
  const names = new CommandRegistry(commands).list().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["core.ping", "core.system", "bash", "job.list"]));
});
