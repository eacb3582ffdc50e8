import { expect, test } from "vitest";
import { EventBus } from "../../../src/events/bus.ts";
import type { CommandObject, OwnJobs } from "../../../src/job/types.ts";
import type { SequenceEvents } from "../../../src/sequencer/sequence.ts";
import type { PhaseState } from "../../../src/sequencer/types.ts";
import { startMonitorsLater } from "../../../src/stats/start-monitors.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const ALL = ["monitor.disk", "monitor.cpu", "monitor.memory", "monitor.network"];

function setUp(isHost: boolean, taken = "") {
  const clock = new FakeClock();
  const log = new QuietLog();
  const events = new EventBus<SequenceEvents>();
  const started: CommandObject[] = [];
  const ownJobs: Pick<OwnJobs, "start"> = {
    start: (command) => {
      if (command.id === taken) throw new Error("the id is known");
      started.push(command);
      return async () => {};
    },
  };
  startMonitorsLater({ isHost, events, ownJobs: ownJobs as OwnJobs, clock, log });
  const change = (phase: string, state: PhaseState): void => {
    const status = { phase, state, startMs: 0, endMs: 0, attempts: 1, reason: "" };
    events.publish("phase.change", { sequence: "boot", index: 1, total: 1, status });
  };
  const ids = () => started.map(({ id }) => id);
  return { clock, log, change, ids, started };
}

test("a host has them a while after the start of the agent, every 30 s", () => {
  const { clock, ids, started } = setUp(true);
  expect(ids()).toStrictEqual([]);
  clock.advance(10_000);
  expect(ids()).toStrictEqual(ALL);
  expect(started[1]).toMatchObject({
    command: "monitor",
    arguments: { domain: "cpu" },
    recurringPeriod: 30,
  });
});

test("a machine has them after its endpoint was opened, once", () => {
  const { clock, change, ids } = setUp(false);
  change("network", "done");
  change("api", "running");
  clock.advance(60_000);
  expect(ids()).toStrictEqual([]);
  change("api", "done");
  expect(ids()).toStrictEqual([]);
  change("api", "done");
  clock.advance(10_000);
  expect(ids()).toStrictEqual(ALL);
});

test("an id that a client has taken keeps the others from nothing", () => {
  const { clock, log, ids } = setUp(true, "monitor.cpu");
  clock.advance(10_000);
  expect(ids()).toStrictEqual(ALL.filter((id) => id !== "monitor.cpu"));
  expect(log.lines).toMatchObject([
    ["warn", "monitor cannot be started", { job: "monitor.cpu", reason: "the id is known" }],
  ]);
});
