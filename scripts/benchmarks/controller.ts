import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { stopChild } from "../stop-child.ts";
import { makeFleet } from "./controller-fleet.ts";
import { type LoadResult, MachineLoad } from "./controller-load.ts";
import { printFigures } from "./table.ts";

const ROOT = join(import.meta.dirname, "../..");
const MACHINES = 10_000;
const BEATS_PER_SECOND = 334;
const UNLOCKS_PER_SECOND = 50;
const P99_BAR_MS = 50;
const MEMORY_BAR_MIB = 200;
/** Each machine once. */
const FIRST_S = Math.ceil(MACHINES / BEATS_PER_SECOND);
const PEER_S = 20;
const TICKS_PER_SECOND = 100;

/** Asked once: afterwards this process has one core itself. */
const HAS_TWO_CORES = availableParallelism() > 1;

interface Measured extends LoadResult {
  readonly seconds: number;
  /** Percent of one core. */
  readonly serverCpu: number;
  readonly loadCpu: number;
}

/**
 * The controller on one core, its load on another. First each machine comes with a full handshake, as
 * after a start of the controller; then the fleet as it is from then on.
 */
export async function benchController({ seconds }: { seconds: number }): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "node0-bench-controller-"));
  try {
    console.log(`${MACHINES} machines with certificates are made`);
    const fleet = await makeFleet(directory, MACHINES);
    pin(process.pid, 0);
    const rates = { beatsPerSecond: BEATS_PER_SECOND, unlocksPerSecond: UNLOCKS_PER_SECOND };
    const controller = await startServer([
      join(ROOT, "bin/node0"),
      ...["controller", "serve", "--dir", directory, "--listen", "127.0.0.1:0"],
    ]);
    let first: Measured;
    let steady: Measured;
    let memory: Memory;
    try {
      const machines = new MachineLoad(fleet, { isAlwaysFull: false });
      const run = measure(controller, machines, rates);
      console.log(`each machine comes for the first time: ${FIRST_S} s`);
      first = await run(FIRST_S);
      console.log(`the fleet as it is from then on: ${seconds} s`);
      steady = await run(seconds);
      memory = readMemory(controller.pid);
    } finally {
      await stopChild(controller.child);
    }
    console.log(`a bare server under the same load: ${FIRST_S} s and ${PEER_S} s`);
    const peer = await startServer([
      process.execPath,
      join(import.meta.dirname, "controller-peer.ts"),
      directory,
    ]);
    try {
      const run = measure(peer, new MachineLoad(fleet, { isAlwaysFull: false }), rates);
      const bareFirst = await run(FIRST_S);
      const bareSteady = await run(PEER_S);
      report({ first, steady, memory, bareFirst, bareSteady, bareMemory: readMemory(peer.pid) });
    } finally {
      await stopChild(peer.child);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
}

/** Starts a server that prints its port, all its threads on the second core where there is one. */
async function startServer(command: readonly string[]): Promise<Server> {
  const [program = "", ...words] = HAS_TWO_CORES
    ? ["taskset", "--cpu-list", "1", ...command]
    : command;
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-10_000);
    const port = /(?:"url":"https:\/\/[\d.]+:|^port )(\d+)/m.exec(text)?.[1];
    if (port !== undefined) resolve(Number(port));
  });
  child.once("exit", (code) => reject(new Error(`Cannot start ${command.join(" ")}: ${code}`)));
  return { child, pid: child.pid ?? 0, port: await promise };
}

function measure(
  { pid, port }: Server,
  machines: MachineLoad,
  rates: { readonly beatsPerSecond: number; readonly unlocksPerSecond: number },
): (seconds: number) => Promise<Measured> {
  return async (seconds) => {
    const before = [pid, process.pid].map(processorMs);
    const beginMs = performance.now();
    const result = await machines.run({ port, seconds, ...rates });
    const tookMs = performance.now() - beginMs;
    const after = [pid, process.pid].map(processorMs);
    const [serverCpu = 0, loadCpu = 0] = after.map(
      (ms, index) => (100 * (ms - (before[index] ?? 0))) / tookMs,
    );
    return { ...result, seconds, serverCpu, loadCpu };
  };
}

function pin(pid: number, core: number): void {
  if (!HAS_TWO_CORES) {
    console.log("one core: the load takes its time from the server");
    return;
  }
  const words = ["--all-tasks", "--cpu-list", "--pid", String(core), String(pid)];
  execFileSync("taskset", words, { stdio: "ignore" });
}

function processorMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

interface Memory {
  readonly nowMiB: number;
  readonly peakMiB: number;
}

function readMemory(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  const member = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) / 1024;
  return { nowMiB: member("VmRSS"), peakMiB: member("VmHWM") };
}

function report(measured: {
  readonly first: Measured;
  readonly steady: Measured;
  readonly memory: Memory;
  readonly bareFirst: Measured;
  readonly bareSteady: Measured;
  readonly bareMemory: Memory;
}): void {
  const { first, steady, memory, bareFirst, bareSteady, bareMemory } = measured;
  const all = together(steady);
  const p99 = percentile(all, 99);
  const wanted = Math.floor(steady.seconds * (BEATS_PER_SECOND + UNLOCKS_PER_SECOND));
  const failed = [...steady.failures.values()].reduce((sum, count) => sum + count, 0);
  printFigures(
    `Controller: ${MACHINES} machines, ${BEATS_PER_SECOND} heartbeats/s and ${UNLOCKS_PER_SECOND} keys/s for ${steady.seconds} s on one core`,
    [
      {
        name: "answers, p99 from the moment due",
        bar: `≤ ${P99_BAR_MS} ms`,
        measured: `${p99.toFixed(1)} ms (heartbeats ${latencies(steady.beats)}; keys ${latencies(steady.unlocks)})`,
        isMet: p99 <= P99_BAR_MS,
      },
      {
        name: "answered with 200",
        bar: "all",
        measured: `${all.length} of ${all.length + failed}${reasons(steady)}`,
        isMet: failed === 0 && all.length >= wanted,
      },
      {
        name: "resident memory, peak",
        bar: `≤ ${MEMORY_BAR_MIB} MiB`,
        measured: `${memory.peakMiB.toFixed(0)} MiB (at the end ${memory.nowMiB.toFixed(0)})`,
        isMet: memory.peakMiB <= MEMORY_BAR_MIB,
      },
    ],
  );
  console.log("\n| beside it | controller | bare TLS server |");
  console.log("|---|---|---|");
  const row = (name: string, of: (one: Measured) => string, one: Measured, other: Measured): void =>
    console.log(`| ${name} | ${of(one)} | ${of(other)} |`);
  const latency = (one: Measured): string => latencies(together(one)) + reasons(one);
  row("from then on, p50 / p99 / max", latency, steady, bareSteady);
  row("TLS handshakes, full + resumed", handshakes, steady, bareSteady);
  row("processor, of one core", ({ serverCpu }) => `${serverCpu.toFixed(0)} %`, steady, bareSteady);
  row("processor of the load", ({ loadCpu }) => `${loadCpu.toFixed(0)} %`, steady, bareSteady);
  row("first time: p50 / p99 / max", latency, first, bareFirst);
  row("first time: TLS handshakes", handshakes, first, bareFirst);
  row("first time: processor", ({ serverCpu }) => `${serverCpu.toFixed(0)} %`, first, bareFirst);
  console.log(
    `| memory, peak | ${memory.peakMiB.toFixed(0)} MiB | ${bareMemory.peakMiB.toFixed(0)} MiB |`,
  );
  console.log(
    `\nload average of the host: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`,
  );
}

function together({ beats, unlocks }: LoadResult): number[] {
  return [...beats, ...unlocks].sort((a, b) => a - b);
}

function latencies(sorted: readonly number[]): string {
  return `${[50, 99, 100].map((percent) => percentile(sorted, percent).toFixed(1)).join(" / ")} ms`;
}

function handshakes({ fullHandshakes, resumedHandshakes, seconds }: Measured): string {
  return `${(fullHandshakes / seconds).toFixed(0)} + ${(resumedHandshakes / seconds).toFixed(0)} /s`;
}

function reasons({ failures }: LoadResult): string {
  return [...failures].map(([text, count]) => `, ${count} × ${text}`).join("");
}

function percentile(sorted: readonly number[], percent: number): number {
  const place = Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1);
  return sorted[place] ?? Number.NaN;
}
