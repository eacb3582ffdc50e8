import { expect, test } from "vitest";
import { Udhcpc } from "../../../src/network/udhcpc.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";

const commandLine = (...words: string[]): string => `${words.join("\0")}\0`;

function isRunning(pid: string, cmdline: string | undefined): boolean {
  const files = new MemoryFiles({ "/run/node0/dhcp/eth0.pid": pid });
  if (cmdline !== undefined) files.writeText(`/proc/${pid.trim()}/cmdline`, cmdline);
  return new Udhcpc({ files, cgroup: null }).isRunning("eth0");
}

test("a client is found by its pid file, whoever started it", () => {
  expect(isRunning("212\n", commandLine("busybox", "udhcpc", "-f", "-i", "eth0"))).toBe(true);
  expect(isRunning("212", commandLine("/sbin/udhcpc", "-i", "eth0", "-f"))).toBe(true);
});

test.each<[string, string, string | undefined]>([
  ["a process that is gone", "212\n", undefined],
  ["another program under a pid used again", "212\n", commandLine("sleep", "9", "-i", "eth0")],
  ["a client of another interface", "212\n", commandLine("busybox", "udhcpc", "-i", "eth1")],
  ["a zombie, which has no command line", "212\n", ""],
  ["an empty pid file", "", commandLine("busybox", "udhcpc", "-i", "eth0")],
  ["a broken pid file", "x", undefined],
  ["PID 1", "1", commandLine("busybox", "udhcpc", "-i", "eth0")],
])("%s is no client", (_, pid, cmdline) => {
  expect(isRunning(pid, cmdline)).toBe(false);
});
