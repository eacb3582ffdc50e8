import { describe, expect, test, vi } from "vitest";
import { command as dmi } from "../../../../src/api/commands/info/dmi.ts";
import { command as version } from "../../../../src/api/commands/info/version.ts";
import { command as kill } from "../../../../src/api/commands/process/kill.ts";
import { command as list } from "../../../../src/api/commands/process/list.ts";
import type { NodeCommand, Services } from "../../../../src/api/services.ts";
import { parseWith } from "../../../../src/base/schema.ts";

const job = { id: "test", emit: () => {}, signal: new AbortController().signal };

async function run(command: NodeCommand, args: unknown, services = {} as Services) {
  if (command.kind !== "builtin") throw new Error(`${command.name} is no built-in`);
  const parsed = command.args === undefined ? {} : parseWith(command.args, args);
  return command.run(services, parsed, job);
}

test("info.version shows exactly branch, revision and dirty", async () => {
  const services = {
    version: { branch: "main", revision: "0123abc", dirty: true, other: 1 },
  } as unknown as Services;
  expect(await run(version, null, services)).toStrictEqual({
    branch: "main",
    revision: "0123abc",
    dirty: true,
  });
});

describe("info.dmi", () => {
  test.each([-1, 43, 1.5, true, {}, null])("refuses the type %j with code 400", async (type) => {
    await expect(run(dmi, { types: [type] })).rejects.toMatchObject({ code: 400 });
  });

  test.each(["board", "4", ""])("refuses the keyword %j with code 500", async (type) => {
    await expect(run(dmi, { types: [0, type] })).rejects.toMatchObject({ code: 500 });
  });

  test("refuses arguments it cannot decode", async () => {
    await expect(run(dmi, { types: "bios" })).rejects.toMatchObject({ code: "E_SCHEMA" });
  });
});

describe("process.kill", () => {
  test.each([1, 0, -1, -2147483648])("never signals pid %i", async (pid) => {
    const send = vi.spyOn(process, "kill");
    await expect(run(kill, { pid, signal: 9 })).rejects.toMatchObject({ code: 500 });
    expect(send).not.toHaveBeenCalled();
    send.mockRestore();
  });

  test("needs a pid", async () => {
    await expect(run(kill, {})).rejects.toMatchObject({ code: "E_SCHEMA" });
  });

  test.each([null, 0])("signal %j only tests for existence", async (signal) => {
    expect(await run(kill, { pid: process.pid, signal })).toBeUndefined();
  });

  test.each([{ pid: 2147483646 }, { pid: 99999999999 }, { pid: 2, signal: 4096 }])(
    "fails with code 500 for %j",
    async (args) => {
      await expect(run(kill, args)).rejects.toMatchObject({ code: 500 });
    },
  );
});

describe("process.list", () => {
  test("is empty for an unknown pid", async () => {
    expect(await run(list, { pid: 2147483646 })).toStrictEqual([]);
  });

  test.each([{ pid: "1" }, { pid: 1.5 }])("refuses %j", async (args) => {
    await expect(run(list, args)).rejects.toMatchObject({ code: "E_SCHEMA" });
  });
});
