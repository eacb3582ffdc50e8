import { expect, test } from "vitest";
import { type LogLevel, openLogger } from "../../../src/log/logger.ts";

function setUp(level: LogLevel) {
  const lines: string[] = [];
  const log = openLogger({ level, sink: { write: (line) => void lines.push(line) } });
  const levels = () => lines.splice(0).map((line) => JSON.parse(line).level);
  return { log, levels, lines };
}

test.each([
  ["debug", ["debug", "info", "warn", "error"]],
  ["info", ["info", "warn", "error"]],
  ["warn", ["warn", "error"]],
  ["error", ["error"]],
  ["silent", []],
] as const)("level %s writes %j, from the start and when it is set later", (level, written) => {
  for (const first of [level, "debug", "silent"] as const) {
    const { log, levels } = setUp(first);
    const child = log.child("part").child("piece");
    log.setLevel(level);
    for (const logger of [log, child]) {
      logger.debug("a");
      logger.info("a");
      logger.warn("a");
      logger.error("a");
      expect(levels()).toStrictEqual(written);
    }
  }
});

test("a line carries component, message and fields, without secrets", () => {
  const { log, lines } = setUp("info");
  log.child("part").info("phrase", { password: "x", inner: { token: "y" }, count: 1 });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    component: "part",
    msg: "phrase",
    password: "[removed]",
    inner: { token: "[removed]" },
    count: 1,
  });
});
