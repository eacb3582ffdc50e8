import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { DEFAULT_LOGGING_CONFIG } from "../../../src/config/node-config-logging.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { Records } from "../../../src/records/records.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { record } from "./records.ts";

function setUp(levels: readonly number[]) {
  const clock = new FakeClock();
  const keyspace = new Keyspace({ clock });
  const file = { ...DEFAULT_LOGGING_CONFIG.file, levels: [] };
  const config = { ...DEFAULT_LOGGING_CONFIG, file, ledis: { levels, size: 100_000 } };
  const stateDir = "/nonexistent";
  const log = new QuietLog();
  const records = new Records({ config, stateDir, keyspace, clock, log });
  const listed = async (queue: string) => {
    const key = await records.subscribe(queue, []);
    await nextTurn();
    return keyspace.lists.range(key, 0, -1).map((text) => JSON.parse(text).message.message);
  };
  return { records, listed, log };
}

test("levels the node does not want reach nobody, the last record of a run neither", async () => {
  const { records, listed } = setUp([1, 9]);
  records.message(record({ text: "out", level: 1 }));
  records.message(record({ text: "err", level: 2 }));
  records.message(record({ text: "result", level: 20, flags: 2 }));
  records.message(record({ text: "critical", level: 9 }));
  expect(await listed("q")).toStrictEqual(["out", "critical"]);
});

test("no levels are all levels", async () => {
  const { records, listed } = setUp([]);
  for (const level of [0, 1, 10, 30, 65_535]) records.message(record({ text: `${level}`, level }));
  expect(await listed("q")).toStrictEqual(["0", "1", "10", "30", "65535"]);
});

test("the backlog is the last thousand records", async () => {
  const { records, listed } = setUp([]);
  for (let number = 0; number < 1500; number += 1) records.message(record({ text: `${number}` }));
  const texts = await listed("q");
  expect([texts.length, texts[0], texts.at(-1)]).toStrictEqual([1000, "500", "1499"]);
});

test("an empty list of levels for the file is no file", async () => {
  const { records, log } = setUp([]);
  for (let level = 0; level <= 30; level += 1) records.message(record({ level }));
  await records.stop();
  expect(log.lines).toStrictEqual([]);
});
