import { expect, test } from "vitest";
import { Udhcpc } from "../../../src/network/udhcpc.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

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

const LEASE = "address=10.0.2.15\nprefix=24\nuptime=100.00\nlease=60\nend=1\n";

function withLease(text: string, uptime: string) {
  const files = new MemoryFiles({ "/run/node0/dhcp/eth0.lease": text, "/proc/uptime": uptime });
  const log = new QuietLog();
  return { clients: new Udhcpc({ files, cgroup: null, log }), files, log };
}

test("a lease counts until its time is over", () => {
  expect(withLease(LEASE, "159.99 1.00\n").clients.lease("eth0")?.address).toBe("10.0.2.15");
  expect(withLease(LEASE, "160.00 1.00\n").clients.lease("eth0")).toBeUndefined();
});

test("a lease counts where nobody knows the time", () => {
  expect(withLease(LEASE, "").clients.lease("eth0")?.address).toBe("10.0.2.15");
  const timeless = LEASE.replace(/^uptime=.*$/m, "");
  expect(withLease(timeless, "999.00 1.00\n").clients.lease("eth0")?.address).toBe("10.0.2.15");
});

test("an interface without a client has no lease", () => {
  const { clients } = withLease(LEASE, "101.00 1.00\n");
  expect(clients.lease("eth1")).toBeUndefined();
  expect(clients.leaseText("eth1")).toBeUndefined();
});

test("each value that is not used is told once", () => {
  const { clients, files, log } = withLease(`mtu=1\n${LEASE}`, "101.00 1.00\n");
  clients.lease("eth0");
  clients.lease("eth0");
  files.writeText("/run/node0/dhcp/eth0.lease", `mtu=2\n${LEASE}`);
  clients.lease("eth0");
  expect(log.lines.map(([, , fields]) => fields)).toEqual([
    { interface: "eth0", field: "mtu", value: "1" },
    { interface: "eth0", field: "mtu", value: "2" },
  ]);
});

test("a server that invents new nonsense each time does not fill the log", () => {
  const { clients, files, log } = withLease(LEASE, "101.00 1.00\n");
  for (let mtu = 100; mtu < 500; mtu += 1) {
    files.writeText("/run/node0/dhcp/eth0.lease", `mtu=${mtu}\n${LEASE}`);
    clients.lease("eth0");
  }
  expect(log.lines).toHaveLength(64);
});

test("a mark is a metric, and goes away", () => {
  const { clients, files } = withLease(LEASE, "");
  expect(clients.inUseMetric("eth0")).toBeNull();
  clients.setInUse("eth0", 1002);
  expect(files.readText("/run/node0/dhcp/eth0.use")).toBe("1002\n");
  expect(clients.inUseMetric("eth0")).toBe(1002);
  clients.setInUse("eth0", null);
  expect(clients.inUseMetric("eth0")).toBeNull();
});

test.each(["", "x", "-1", "1 2"])("the mark %j is none", (text) => {
  const { clients, files } = withLease(LEASE, "");
  files.writeText("/run/node0/dhcp/eth0.use", text);
  expect(clients.inUseMetric("eth0")).toBeNull();
});

test("stopping what does not run removes what is left of it", async () => {
  const { clients, files } = withLease(LEASE, "");
  files.writeText("/run/node0/dhcp/eth0.pid", "212\n");
  await clients.stop("eth0");
  expect(files.list("/run/node0/dhcp")).toEqual([]);
});
