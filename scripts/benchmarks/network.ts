import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NETWORK_LIMITS } from "../../src/network/network-limits.ts";
import { missingForLab, NetworkLab } from "../../test/integration/support/network-lab.ts";
import {
  isDone,
  isRetrying,
  type LabAgent,
} from "../../test/integration/support/network-lab-agent.ts";
import { makeCa, type ThrowawayCa } from "../../test/integration/support/throwaway-ca.ts";
import { median, printFigures, spread } from "./table.ts";

const PORT = 8443;
const DEAD = 4;
const NS_PER_MS = 1e6;
/** Long enough for an agent to have settled into waiting. */
const SETTLE_MS = 3000;
const IDLE_MS = 30_000;
const DHCP_LIMIT_S = 15;

/**
 * Times the network phase in namespaces of its own, with a real DHCP server and a controller behind
 * TLS, against `udhcpc -n -q` on the same cable.
 */
export async function benchNetwork(runs: number): Promise<void> {
  const missing = missingForLab();
  if (missing !== undefined) throw new Error(`Cannot measure the network: ${missing}`);
  const directory = mkdtempSync(join(tmpdir(), "node0-bench-"));
  try {
    // The agent of a machine starts with compiled code: so does this one, from its second run on.
    process.env["NODE_COMPILE_CACHE"] = join(directory, "code");
    const ca = makeCa(directory);
    await timeAgent(ca);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      theirs.push(await timeClient());
      ours.push(await timeAgent(ca));
    }
    const cpu = [
      await cpuWaiting(ca, { isPlugged: false }),
      await cpuWaiting(ca, { isPlugged: true }),
    ];
    const dead = await timeDeadInterfaces(ca);
    report({ ours, theirs, cpu, dead });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Milliseconds `udhcpc -n -q` takes on a link that is up. */
async function timeClient(): Promise<number> {
  const lab = await NetworkLab.open();
  try {
    lab.plug();
    lab.node("ip", "link", "set", "v0", "up");
    lab.startServer();
    await sleep(500);
    const script =
      "begin=$(date +%s%N); busybox udhcpc -n -q -i v0 -s /bin/true >/dev/null 2>&1 && " +
      'echo "$begin $(date +%s%N)"';
    const [begin, end] = lab.node("sh", "-c", script).trim().split(" ").map(Number);
    return ((end ?? Number.NaN) - (begin ?? Number.NaN)) / NS_PER_MS;
  } finally {
    await lab.close();
  }
}

/** Milliseconds from "link up" to a controller reached, for an agent that waits for carrier. */
async function timeAgent(ca: ThrowawayCa): Promise<number> {
  const lab = await NetworkLab.open();
  try {
    lab.startServer();
    await startController(lab, 0, ca);
    const agent = startAgent(lab, 0, ca);
    await agent.until(isRetrying);
    await sleep(SETTLE_MS);
    const script = "date +%s%N; ip link set s0 up";
    const beginMs = Number(lab.server("sh", "-c", script)) / NS_PER_MS;
    const { endMs } = await agent.until(isDone);
    await agent.stop();
    return (endMs ?? Number.NaN) + monotonicOriginMs() - beginMs;
  } finally {
    await lab.close();
  }
}

/** Processor time of a waiting agent and what it started, percent of one core. */
async function cpuWaiting(ca: ThrowawayCa, { isPlugged }: { isPlugged: boolean }): Promise<number> {
  const lab = await NetworkLab.open();
  try {
    if (isPlugged) lab.plug();
    const agent = startAgent(lab, 0, ca);
    await agent.until(isRetrying);
    await sleep(SETTLE_MS);
    const before = processorMs(lab);
    await sleep(IDLE_MS);
    return (100 * (processorMs(lab) - before)) / IDLE_MS;
  } finally {
    await lab.close();
  }
}

/** Seconds from the start of the agent to a controller reached over the last of five interfaces. */
async function timeDeadInterfaces(ca: ThrowawayCa): Promise<number> {
  const lab = await NetworkLab.open(DEAD + 1);
  try {
    for (let number = 0; number <= DEAD; number += 1) lab.cable(number).plug();
    lab.cable(DEAD).startDhcp();
    await startController(lab, DEAD, ca);
    const beginMs = performance.timeOrigin + performance.now();
    const agent = startAgent(lab, DEAD, ca);
    const { endMs } = await agent.until(isDone);
    return ((endMs ?? Number.NaN) + monotonicOriginMs() - beginMs) / 1000;
  } finally {
    await lab.close();
  }
}

/** With the limits of a real machine, and its controller at the far end of one cable. */
function startAgent(lab: NetworkLab, cable: number, ca: ThrowawayCa): LabAgent {
  lab.configure(
    `[network]
dhcp_limit = ${DHCP_LIMIT_S}
[[controller]]
url = "https://${lab.cable(cable).address}:${PORT}"
ca = "${ca.certificate}"
`,
  );
  return lab.startAgent({ limits: NETWORK_LIMITS });
}

async function startController(lab: NetworkLab, cable: number, ca: ThrowawayCa): Promise<void> {
  const { address } = lab.cable(cable);
  await lab.cable(cable).startController(ca.issue([address]), PORT);
  // Its first handshake compiles it; a controller in service has made many.
  const script = 'exec openssl s_client -connect "$0" </dev/null >/dev/null 2>&1';
  for (let time = 0; time < 3; time += 1) {
    lab.cable(cable).server("sh", "-c", script, `127.0.0.1:${PORT}`);
  }
}

/** Of every process in the lab but those of dnsmasq: agent, DHCP clients, and what they start. */
function processorMs(lab: NetworkLab): number {
  const script =
    'for f in /proc/[0-9]*/stat; do read -r line <"$f" && echo "$line"; done 2>/dev/null; getconf CLK_TCK';
  const lines = lab.node("sh", "-c", script).trim().split("\n");
  const ticksPerSecond = Number(lines.pop());
  const ticks = lines
    .filter((line) => /\((node|MainThread|busybox|udhcpc|ip)\)/.test(line))
    .map((line) => line.slice(line.lastIndexOf(")") + 2).split(" "))
    .reduce((sum, fields) => sum + Number(fields[11]) + Number(fields[12]), 0);
  return (ticks * 1000) / ticksPerSecond;
}

/** Wall clock at the origin of the monotonic clock, milliseconds. */
function monotonicOriginMs(): number {
  return Date.now() - Number(process.hrtime.bigint()) / NS_PER_MS;
}

function report(measured: {
  ours: readonly number[];
  theirs: readonly number[];
  cpu: readonly number[];
  dead: number;
}): void {
  const { ours, theirs, cpu, dead } = measured;
  const ratio = median(ours) / median(theirs);
  const deadBar = 4 * DHCP_LIMIT_S + 2;
  printFigures("Network", [
    {
      name: "link up → controller reached, one DHCP interface",
      bar: "≤ 1.5 × udhcpc -n -q",
      measured: `${ratio.toFixed(2)} × (${spread(ours, 0)} ms / ${spread(theirs, 0)} ms)`,
      isMet: ratio <= 1.5,
    },
    {
      name: "processor while waiting: no carrier, no DHCP answer",
      bar: "≤ 1 % of a core",
      measured: cpu.map((percent) => `${percent.toFixed(2)} %`).join(", "),
      isMet: cpu.every((percent) => percent <= 1),
    },
    {
      name: "four dead interfaces before the good one",
      bar: `≤ 4 × ${DHCP_LIMIT_S} s + 2 s = ${deadBar} s`,
      measured: `${dead.toFixed(1)} s`,
      isMet: dead <= deadBar,
    },
  ]);
}
