import { expect, test } from "vitest";
import type { UpRecord } from "../../../scripts/machine/up-record.ts";
import { formatReport } from "../../../scripts/machine/up-report.ts";

const RECORD: UpRecord = {
  redis: { host: "127.0.0.1", port: 4000, passwordFile: "/co/.node0/password" },
  serialLog: "/co/.node0/serial.log",
  qemuPid: 1,
  accel: "tcg",
  accelReason: "",
  timeline: [],
  image: { kernelBytes: 1, initrdBytes: 2 },
  run: { directory: "/run", processes: [] },
};
const PLACE = { root: "/co", cwd: "/co" };
const OPTIONS = { stateDirectory: null, isForeground: false };

test("ends with lines that can be typed where the reader is", () => {
  const text = formatReport(RECORD, { ...PLACE, options: OPTIONS, answeredMs: 5480 });
  expect(text.split("\n")).toEqual([
    "up: answered 5.5 s after start",
    "",
    "  REDISCLI_AUTH=$(cat .node0/password) redis-cli -p 4000 core.ping",
    "  bin/node0 status",
    "  tail -f .node0/serial.log",
    "  scripts/down    # stops the machine",
    "",
  ]);
});

test("names the directory of a run that is kept elsewhere", () => {
  const options = { ...OPTIONS, stateDirectory: "/co/second" };
  const text = formatReport(RECORD, { root: "/co", cwd: "/co/src", options, answeredMs: 1 });
  expect(text).toContain("../bin/node0 status --context ../second/context.json\n");
  expect(text).toContain("../scripts/down --state ../second ");
});

test("says that a machine without network card cannot be reached", () => {
  const record = { ...RECORD, redis: null };
  const text = formatReport(record, { ...PLACE, options: OPTIONS, answeredMs: null });
  expect(text).toContain("not reachable");
  expect(text).not.toContain("redis-cli");
});
