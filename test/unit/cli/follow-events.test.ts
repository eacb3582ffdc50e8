import { expect, test } from "vitest";
import { AgentError } from "../../../src/base/errors.ts";
import { followEvents } from "../../../src/cli/follow-events.ts";
import type { Format, Invocation } from "../../../src/cli/invocation.ts";
import type { StopSignal } from "../../../src/cli/io.ts";
import { Client } from "../../../src/client/client.ts";
import type { Channel } from "../../../src/client/connection.ts";
import { JobError } from "../../../src/client/errors.ts";
import type { Channels } from "../../../src/client/pool.ts";
import { fakeStatus } from "../../fakes/network-control.ts";
import { FakeIo } from "./fake-io.ts";

const BOOT = [
  { number: 1, type: "sequence.start", sequence: "boot", phases: ["system", "network"] },
  {
    number: 2,
    type: "phase.change",
    phase: "system",
    state: "done",
    startMs: 100,
    endMs: 1500,
    attempts: 1,
    reason: "",
  },
  {
    number: 3,
    type: "phase.change",
    phase: "network",
    state: "failed",
    startMs: 1500,
    endMs: 2000,
    attempts: 2,
    reason: "no\u001b[31m carrier",
  },
  {
    number: 4,
    type: "sequence.end",
    sequence: "boot",
    outcome: { state: "failed", reason: "network" },
    endMs: 2000,
  },
];

/** A node that tells how it booted and ends the tool after its last event; `network` answers net.status. */
async function watch(network: () => Promise<string>, format?: Format, texts = BOOT) {
  const io = new FakeIo();
  let interrupt: (signal: StopSignal) => void = () => undefined;
  const channel: Channel = {
    isOpen: true,
    call: network,
    block: network,
    subscribe: async (_channel, onText, signal) => {
      for (const event of texts) onText(JSON.stringify(event));
      // The loop has to take what was pushed before the signal ends it.
      setTimeout(() => interrupt("SIGINT"), 50);
      const { promise, reject } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => reject(new AgentError("E_ABORTED", "stopped")));
      await promise;
    },
    pause: () => undefined,
    destroy: () => undefined,
  };
  const channels: Channels = { use: (work) => work(channel), close: () => undefined };
  const client = new Client(channels, { host: "node", port: 6379, path: "" });
  const invocation = {
    io: Object.assign(io, {
      onStop: (listener: (signal: StopSignal) => void) => {
        interrupt = listener;
        return () => undefined;
      },
    }),
    format,
    timeoutMs: undefined,
    paint: (_style: string, text: string) => text,
    connect: async () => client,
    note: async (text: string) => void (await io.stderr.write(`${text}\n`)),
  } as unknown as Invocation;
  const code = await followEvents(invocation);
  const lines = io.out
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^20\S+Z {2}/, ""));
  return { code, lines, err: io.err };
}

const onHost = async (): Promise<string> => {
  const job = { id: "1", command: "net.status", state: "ERROR", code: 406 } as const;
  throw new JobError(job, "a guest on a host");
};

test("prints the boot, phase by phase, without control characters", async () => {
  const { code, lines, err } = await watch(onHost);
  expect(lines).toEqual([
    "boot begins",
    "system done at 1.50 s",
    "network failed at 2.00 s: no [31m carrier",
    "boot ended: failed: network at 2.00 s",
  ]);
  expect({ code, err }).toEqual({ code: 130, err: "" });
});

test("prints one object per line", async () => {
  const { lines } = await watch(onHost, "json");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject(
    BOOT.map((event) => ({ kind: "boot", time: expect.stringMatching(/Z$/), ...event })),
  );
});

test("prints how the network is, and what changes in it", async () => {
  const states = [fakeStatus(), fakeStatus({ state: "searching", reason: "eth0: no carrier" })];
  let version = 0;
  const network = async (): Promise<string> => {
    const state = states[version];
    if (state === undefined) return await new Promise<never>(() => undefined);
    version += 1;
    const data = JSON.stringify({ version, ...state });
    return JSON.stringify({ state: "SUCCESS", level: 20, data });
  };
  const { lines } = await watch(network, undefined, []);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^up by dhcp/);
  expect(lines[1]).toMatch(/^searching/);
});

test("says how many events were missed", async () => {
  const missed = [{ missed: 7 }] as unknown as typeof BOOT;
  expect((await watch(onHost, undefined, missed)).err).toBe("7 events were missed\n");
});
