import { beforeEach, describe, expect, test } from "vitest";
import { command as reload } from "../../../../src/api/commands/net/reload.ts";
import { command as status } from "../../../../src/api/commands/net/status.ts";
import type { NodeCommand, Services } from "../../../../src/api/services.ts";
import { parseWith } from "../../../../src/base/schema.ts";
import type { NetworkStatus } from "../../../../src/network/status.ts";
import { FakeClock } from "../../../fakes/clock.ts";
import { FakeNetworkControl, fakeStatus } from "../../../fakes/network-control.ts";

type Answer = NetworkStatus & { readonly version: number };

let clock: FakeClock;
let network: FakeNetworkControl;
let down: AbortController;

beforeEach(() => {
  clock = new FakeClock();
  network = new FakeNetworkControl();
  down = new AbortController();
});

async function run(command: NodeCommand, args: object = {}, on: Partial<Services> = { network }) {
  if (command.kind !== "builtin") throw new Error(`${command.name} is not a built-in`);
  const checked: unknown = command.args === undefined ? args : parseWith(command.args, args);
  const job = { id: "1", emit: () => undefined, signal: down.signal };
  return (await command.run({ clock, ...on } as Services, checked, job)) as Answer;
}

describe("net.status", () => {
  test("shows the network with a version", async () => {
    expect(await run(status)).toEqual({ version: expect.any(Number), ...fakeStatus() });
  });

  test("gives every change another version, and no change the same", async () => {
    const first = await run(status);
    expect((await run(status)).version).toBe(first.version);
    network.change({ state: "searching" });
    expect((await run(status)).version).not.toBe(first.version);
  });

  test("waits for the next change after the version that was seen", async () => {
    const { version } = await run(status);
    const answer = run(status, { since: version, wait_ms: 60_000 });
    network.change({ reason: "eth0: no carrier" });
    expect(await answer).toMatchObject({ reason: "eth0: no carrier", version: version + 1 });
    expect(clock.pendingTimers).toBe(0);
  });

  test("does not wait when something changed meanwhile, nor for the version of another agent", async () => {
    const { version } = await run(status);
    network.change({ round: 2 });
    expect(await run(status, { since: version, wait_ms: 60_000 })).toMatchObject({ round: 2 });
    expect(await run(status, { since: 7, wait_ms: 60_000 })).toMatchObject({ round: 2 });
  });

  test("answers with the same version when the time is over", async () => {
    const { version } = await run(status);
    const answer = run(status, { since: version, wait_ms: 500 });
    clock.advance(500);
    expect((await answer).version).toBe(version);
  });

  test("answers when the agent goes down", async () => {
    const { version } = await run(status);
    const answer = run(status, { since: version, wait_ms: 60_000 });
    down.abort();
    expect((await answer).version).toBe(version);
  });

  test("listens to the network once, however many ask", async () => {
    const { version } = await run(status);
    const answers = [1, 2, 3].map(() => run(status, { since: version, wait_ms: 1000 }));
    expect(network.listeners).toBe(1);
    network.change({ round: 2 });
    expect((await Promise.all(answers)).map(({ round }) => round)).toEqual([2, 2, 2]);
  });

  test.each([{ wait_ms: 60_001 }, { wait_ms: -1 }, { since: -1 }, { since: "1" }])(
    "refuses %j",
    async (args) => {
      await expect(run(status, args)).rejects.toMatchObject({ code: "E_SCHEMA" });
    },
  );
});

describe("net.reload", () => {
  test("reads the file again", async () => {
    expect(await run(reload)).toEqual({ isAccepted: true, problems: [] });
    expect(network.reloads).toBe(1);
  });

  test("answers with the mistakes of a file that is refused", async () => {
    network.problems = ["Cannot use x in /etc/g8os/net.toml:1: 1 seen, expected 2"];
    expect(await run(reload)).toEqual({ isAccepted: false, problems: network.problems });
  });
});

test.each([status, reload])("$name fails with code 406 on a host", async (command) => {
  await expect(run(command, {}, { network: null })).rejects.toMatchObject({
    code: 406,
    message: expect.stringContaining("this agent is a guest on a host"),
  });
});
