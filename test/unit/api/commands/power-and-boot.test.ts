import { expect, test } from "vitest";
import { command as bootStatus } from "../../../../src/api/commands/boot/status.ts";
import { command as configGet } from "../../../../src/api/commands/config/get.ts";
import { command as poweroff } from "../../../../src/api/commands/core/poweroff.ts";
import { command as reboot } from "../../../../src/api/commands/core/reboot.ts";
import type { NodeCommand, Services } from "../../../../src/api/services.ts";
import { hostPower } from "../../../../src/boot/power.ts";
import type { JobHandle } from "../../../../src/command/command.ts";

async function run(command: NodeCommand, services: Partial<Services>) {
  if (command.kind !== "builtin") throw new Error(`${command.name} is not a built-in`);
  const notices: [number, string][] = [];
  const job: JobHandle = {
    id: "1",
    emit: (level, text) => notices.push([level, text]),
    signal: new AbortController().signal,
  };
  const value: unknown = await command.run(services as Services, undefined, job);
  return { value, notices };
}

test.each([
  ["reboot", reboot],
  ["poweroff", poweroff],
])("core.%s begins the stop, has no data and leaves a notice", async (kind, command) => {
  const calls: string[] = [];
  const power = {
    reboot: async () => void calls.push("reboot"),
    poweroff: async () => void calls.push("poweroff"),
  };
  const { value, notices } = await run(command, { power });
  expect(calls).toEqual([kind]);
  expect(value).toBeUndefined();
  expect(command).toMatchObject({ name: `core.${kind}`, level: 0 });
  expect(notices).toEqual([[1, expect.stringMatching(/^The machine stops .+\n$/)]]);
});

test("on a host there is no notice of a stop that does not happen", async () => {
  await expect(run(reboot, { power: hostPower() })).rejects.toMatchObject({ code: 406 });
});

test("boot.status shows the timeline and when the boot was through", async () => {
  const phase = {
    phase: "api",
    state: "done",
    startMs: 1,
    endMs: 2,
    attempts: 1,
    reason: "x",
  } as const;
  const boot = { timeline: () => [phase], finishedMs: () => 2 };
  expect((await run(bootStatus, { boot })).value).toEqual({ finished_ms: 2, phases: [phase] });
});

test("config.get shows the configuration", async () => {
  expect((await run(configGet, { config: () => ({ main: 1 }) })).value).toEqual({ main: 1 });
});
