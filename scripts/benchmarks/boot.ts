import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runImageCommand } from "../../src/image/command.ts";
import type { Machine } from "../machine/machine.ts";
import { startMachine } from "../machine/start-machine.ts";
import { buildBaseline, IDLE_S } from "./baseline.ts";
import { RawClient } from "./raw-client.ts";
import { median, printFigures, spread } from "./table.ts";

const ROOT = join(import.meta.dirname, "../..");
const BOOT_LIMIT_MS = 60_000;
const KIB_PER_MIB = 1024;
const MB = 1e6;

interface BootFigures {
  /** Kernel start to first authenticated PONG, seconds. */
  readonly pongS: number;
  /** MemTotal − MemAvailable when idle, MiB. */
  readonly memoryMiB: number;
  /** Resident memory of the agent, MiB; NaN for the baseline. */
  readonly agentMiB: number;
}

/**
 * Boots node0 and the baseline in turn under software emulation, 2 processors, 1 GiB, and compares.
 * The clock starts with the kernel: firmware and loading are the same for both.
 */
export async function benchBoot(runs: number): Promise<void> {
  if ((await runImageCommand(["build"])) !== 0) throw new Error("Cannot build the image");
  const directory = mkdtempSync(join(tmpdir(), "node0-bench-"));
  try {
    const password = randomBytes(16).toString("hex");
    const baselineInitrd = join(directory, "baseline.img");
    await buildBaseline(baselineInitrd, { root: ROOT, password });
    const ours: BootFigures[] = [];
    const theirs: BootFigures[] = [];
    for (let run = 0; run < runs; run += 1) {
      theirs.push(await bootOnce(baselineInitrd, { password, measureIdle: baselineMemory }));
      ours.push(await bootOnce(image("initrd.img"), { password, measureIdle: nodeMemory }));
    }
    report(ours, theirs);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface IdleMemory {
  readonly memoryMiB: number;
  readonly agentMiB: number;
}

async function bootOnce(
  initrd: string,
  {
    password,
    measureIdle,
  }: {
    password: string;
    measureIdle: (machine: Machine, password: string) => Promise<IdleMemory>;
  },
): Promise<BootFigures> {
  const kernel = image("vmlinuz");
  await using machine = await startMachine({ kernel, initrd, accel: "tcg", password });
  const kernelStartMs = watchKernelStart(machine);
  const pongMs = await machine.waitPong(password, BOOT_LIMIT_MS);
  const startMs = await kernelStartMs;
  return { pongS: (pongMs - startMs) / 1000, ...(await measureIdle(machine, password)) };
}

/**
 * When the kernel started, in milliseconds after the processors did: the first line either machine
 * writes starts with its time since kernel start.
 */
async function watchKernelStart(machine: Machine): Promise<number> {
  for (;;) {
    const match = /^\[ *(\d+\.\d+)\]/m.exec(machine.serial());
    const seenMs = performance.now() - machine.startedAtMs;
    if (match !== null) return seenMs - Number(match[1]) * 1000;
    if (seenMs > BOOT_LIMIT_MS) throw new Error("Cannot see the machine's first line");
    await sleep(5);
  }
}

async function baselineMemory(machine: Machine): Promise<IdleMemory> {
  await machine.waitSerial(/MemAvailable:.*kB/, { timeoutMs: BOOT_LIMIT_MS });
  return { memoryMiB: usedMiB(machine.serial()), agentMiB: Number.NaN };
}

async function nodeMemory(machine: Machine, password: string): Promise<IdleMemory> {
  await sleep(IDLE_S * 1000);
  const client = await RawClient.connect(machine.port);
  const script = "cat /proc/meminfo; cat /proc/$(pidof node)/status";
  const replies = await client.send([
    ["AUTH", password],
    ["bash", JSON.stringify({ script })],
  ]);
  client.close();
  const { streams } = JSON.parse(String(replies[1])) as { streams: [string, string] };
  return {
    memoryMiB: usedMiB(streams[0]),
    agentMiB: kib(streams[0], "VmRSS") / KIB_PER_MIB,
  };
}

const usedMiB = (text: string): number =>
  (kib(text, "MemTotal") - kib(text, "MemAvailable")) / KIB_PER_MIB;

function kib(text: string, name: string): number {
  const value = Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1]);
  if (Number.isNaN(value)) throw new Error(`Cannot find ${name} in: ${text.slice(0, 200)}`);
  return value;
}

function report(ours: readonly BootFigures[], theirs: readonly BootFigures[]): void {
  const ratios = ours.map(({ pongS }, run) => pongS / (theirs[run]?.pongS ?? Number.NaN));
  const seconds = (list: readonly BootFigures[]) => median(list.map(({ pongS }) => pongS));
  const memory = ours.map(({ memoryMiB }) => memoryMiB);
  const agent = ours.map(({ agentMiB }) => agentMiB);
  const { initrdBytes } = JSON.parse(readFileSync(image("manifest.json"), "utf8")) as {
    initrdBytes: number;
  };
  printFigures(`Boot under tcg, 2 processors, 1 GiB, median (range) of ${ours.length} runs`, [
    {
      name: "kernel start → first authenticated PONG",
      bar: "≤ 2.0 × busybox + redis-server",
      measured: `${spread(ratios, 2)} × (${seconds(ours).toFixed(2)} s against ${seconds(theirs).toFixed(2)} s)`,
      isMet: median(ratios) <= 2,
    },
    {
      name: "initrd",
      bar: "≤ 80 MB",
      measured: `${(initrdBytes / MB).toFixed(1)} MB`,
      isMet: initrdBytes <= 80 * MB,
    },
    {
      name: "memory of the whole machine, idle",
      bar: "≤ 320 MiB",
      measured: `${spread(memory, 0)} MiB (baseline ${median(theirs.map(({ memoryMiB }) => memoryMiB)).toFixed(0)})`,
      isMet: median(memory) <= 320,
    },
    {
      name: "resident memory of the agent, idle",
      bar: "≤ 85 MiB",
      measured: `${spread(agent, 0)} MiB`,
      isMet: median(agent) <= 85,
    },
  ]);
}

const image = (name: string): string => join(ROOT, "dist/image", name);
