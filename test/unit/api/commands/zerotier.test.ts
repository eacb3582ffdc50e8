import { expect, test } from "vitest";
import { command as info } from "../../../../src/api/commands/zerotier/info.ts";
import { command as join } from "../../../../src/api/commands/zerotier/join.ts";
import { command as leave } from "../../../../src/api/commands/zerotier/leave.ts";
import { command as list } from "../../../../src/api/commands/zerotier/list.ts";
import type { NodeCommand, Services } from "../../../../src/api/services.ts";
import { AgentError } from "../../../../src/base/errors.ts";
import { parseWith } from "../../../../src/base/schema.ts";
import type { OverlayControl } from "../../../../src/network/overlay/types.ts";

const NETWORK = "8056c2e21c000001";

function run(command: NodeCommand, args: unknown, overlay: OverlayControl | null) {
  if (command.kind !== "builtin") throw new Error("not a builtin");
  const emitted: [number, string][] = [];
  const job = {
    id: "1",
    emit: (level: number, text: string) => emitted.push([level, text]),
    signal: new AbortController().signal,
  };
  const given = command.args === undefined ? undefined : parseWith(command.args, args);
  const outcome = Promise.resolve().then(() => command.run({ overlay } as Services, given, job));
  return { outcome, emitted };
}

function fakeOverlay(failure?: Error) {
  const calls: string[] = [];
  const act = async (call: string) => {
    if (failure !== undefined) throw failure;
    calls.push(call);
  };
  const overlay: OverlayControl = {
    info: async () => ({ address: "89e92ceee5" }),
    list: async () => [{ nwid: NETWORK }],
    join: (network) => act(`join ${network}`),
    leave: (network) => act(`leave ${network}`),
  };
  return { overlay, calls };
}

test.each([
  ["join", join],
  ["leave", leave],
])(
  "%s prints what the program of that name prints, and has no result value",
  async (name, command) => {
    const { overlay, calls } = fakeOverlay();
    const { outcome, emitted } = run(command, { network: "8056C2E21C000001" }, overlay);
    expect(await outcome).toBeUndefined();
    expect(calls).toStrictEqual([`${name} ${NETWORK}`]);
    expect(emitted).toStrictEqual([[1, `200 ${name} OK\n`]]);
    expect(command).toMatchObject({ name: `zerotier.${name}`, level: 0, scope: "host" });
  },
);

test.each([
  "",
  "8056c2e21c00000",
  "8056c2e21c0000011",
  "8056c2e21c00000g",
  "../status",
  "8056c2e21c000001\n",
])("the network id %j is refused with what is allowed", async (network) => {
  const { overlay, calls } = fakeOverlay();
  for (const command of [join, leave]) {
    await expect(run(command, { network }, overlay).outcome).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining("expected 16 hexadecimal digits"),
    });
  }
  expect(calls).toStrictEqual([]);
});

test("list and info answer what the service says", async () => {
  const { overlay } = fakeOverlay();
  expect(await run(list, {}, overlay).outcome).toStrictEqual([{ nwid: NETWORK }]);
  expect(await run(info, {}, overlay).outcome).toStrictEqual({ address: "89e92ceee5" });
});

test.each([
  ["join", join],
  ["leave", leave],
  ["list", list],
  ["info", info],
])("%s without an overlay is not available", async (_, command) => {
  await expect(run(command, { network: NETWORK }, null).outcome).rejects.toMatchObject({
    code: 503,
    message: expect.stringContaining("expected zerotier= on the kernel command line"),
  });
});

test("a refusal of the service is the failure of the program", async () => {
  const { overlay } = fakeOverlay(
    new AgentError("E_OVERLAY_API", "Cannot ask the ZeroTier service"),
  );
  await expect(run(join, { network: NETWORK }, overlay).outcome).rejects.toMatchObject({
    code: 1001,
    message: "Cannot ask the ZeroTier service",
  });
});
