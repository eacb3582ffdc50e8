import { expect, test } from "vitest";
import {
  parseCmdline,
  parseLimits,
  parsePidStat,
  parsePidStatus,
} from "../../../../src/sys/proc/pid-files.ts";
import { toProcessCpu } from "../../../../src/sys/proc/processes.ts";

const NUMBERS = Array.from({ length: 50 }, (_none, index) => index + 4);

test("counts the fields of stat from the last bracket of the name", () => {
  const stat = parsePidStat(`77 (a) (b c) S ${NUMBERS.join(" ")}\n`);
  expect(stat).toStrictEqual({
    name: "a) (b c",
    ppid: 4,
    userTicks: 14,
    systemTicks: 15,
    startTicks: 22,
    blockIoTicks: 42,
    guestTicks: 43,
  });
});

test("a text that is no stat line is no process", () => {
  expect(parsePidStat("")).toBeUndefined();
});

test("processor times are seconds", () => {
  const stat = parsePidStat(`77 (a) S ${NUMBERS.join(" ")}\n`);
  expect(stat === undefined ? undefined : toProcessCpu(stat)).toMatchObject({
    user: 0.14,
    system: 0.15,
    iowait: 0.42,
    idle: 0,
  });
});

test("memory of status is bytes, and nothing for kernel threads", () => {
  const text =
    "Name:\tVmRSS:\t9\nTgid:\t77\nPid:\t77\nVmSize:\t    3060 kB\nVmRSS:\t    1696 kB\nVmSwap:\t 4 kB\n";
  expect(parsePidStatus(text)).toStrictEqual({
    tgid: 77,
    rss: 1696 * 1024,
    vms: 3060 * 1024,
    swap: 4096,
  });
  expect(parsePidStatus("Name:\tkthreadd\nTgid:\t2\n")).toMatchObject({ tgid: 2, rss: 0, swap: 0 });
});

test("limits are numbered in order and capped at 31 bits", () => {
  const text = [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max cpu time              unlimited            unlimited            seconds   ",
    "Max file size             4294967296           unlimited            bytes     ",
    "Max nice priority         0                    20                   ",
    "",
  ].join("\n");
  expect(parseLimits(text)).toStrictEqual([
    { resource: 0, soft: 2147483647, hard: 2147483647 },
    { resource: 1, soft: 2147483647, hard: 2147483647 },
    { resource: 2, soft: 0, hard: 20 },
  ]);
});

test("arguments are joined with blanks", () => {
  expect(parseCmdline("sleep\x0030\0")).toBe("sleep 30");
  expect(parseCmdline("a\0\0b\0")).toBe("a  b");
  expect(parseCmdline("")).toBe("");
});
