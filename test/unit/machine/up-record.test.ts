import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { identify } from "../../../scripts/machine/process-identity.ts";
import { ownRun, writeOwner } from "../../../scripts/machine/run-owner.ts";
import {
  clearRun,
  isStarting,
  readStartedRun,
  readUpRecord,
  type UpRecord,
  writeStartedRun,
  writeUpRecord,
} from "../../../scripts/machine/up-record.ts";

let state: string;
let directory: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "node0-record-"));
  directory = join(state, "node0-vm-test");
  mkdirSync(directory);
});
afterEach(() => rmSync(state, { recursive: true }));

/** A process that is none: its pid belongs to another one by now. */
const GONE = { pid: process.pid, startTicks: 1 };

function record(): UpRecord {
  return {
    redis: null,
    ssh: null,
    controller: null,
    serialLog: join(state, "serial.log"),
    qemuPid: GONE.pid,
    accel: "tcg",
    accelReason: "",
    timeline: [],
    image: { kernelBytes: 1, initrdBytes: 2 },
    run: { directory, processes: [GONE] },
  };
}

test("there is neither a run nor the start of one at first", () => {
  expect(readUpRecord(state)).toBeNull();
  expect(readStartedRun(state)).toBeNull();
});

test("a run is being started as long as the process lives that does", () => {
  writeStartedRun(state, { directory, processes: [] });
  const run = readStartedRun(state);
  expect(run).toMatchObject({ directory, starter: identify(process.pid) });
  expect(run !== null && isStarting(run)).toBe(true);
  expect(run !== null && isStarting({ ...run, starter: GONE })).toBe(false);
});

test("a machine that its killed starter could not note any more is part of the run", () => {
  writeStartedRun(state, { directory, processes: [GONE] });
  ownRun(directory);
  writeOwner(directory, { pid: 17, startTicks: 4 });
  expect(readStartedRun(state)?.processes).toEqual([GONE, { pid: 17, startTicks: 4 }]);
});

test("a run that is complete is no longer being started", () => {
  writeStartedRun(state, { directory, processes: [] });
  writeUpRecord(state, record());
  expect(readUpRecord(state)).toEqual(record());
  expect(readStartedRun(state)).toBeNull();
});

test.each([
  [true, ["controller", "controller.log", "private", "serial.log"]],
  [false, ["controller", "private"]],
])("clearing a run, its logs kept: %j, leaves what the next one needs", async (keepLog, left) => {
  for (const name of ["controller", "private"]) mkdirSync(join(state, name));
  for (const name of ["serial.log", "controller.log", "context.json"]) {
    writeFileSync(join(state, name), "");
  }
  writeUpRecord(state, record());
  await clearRun(state, record().run, { keepLog });
  expect(readdirSync(state).sort()).toEqual(left);
});
