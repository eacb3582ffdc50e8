import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runImageCommand } from "../../src/image/command.ts";
import type { PhaseStatus } from "../../src/sequencer/types.ts";
import { controllerFiles } from "../machine/controller-files.ts";
import { startController } from "../machine/controller-process.ts";
import { ensurePrivate } from "../machine/machine-private.ts";
import { endProcess } from "../machine/process-identity.ts";
import { macOf } from "../machine/qemu-arguments.ts";
import { ownRun } from "../machine/run-owner.ts";
import { startMachine } from "../machine/start-machine.ts";
import { RawClient } from "./raw-client.ts";
import { median, printFigures, spread } from "./table.ts";

const ROOT = join(import.meta.dirname, "../..");
const BOOT_LIMIT_MS = 120_000;
const SSH_LIMIT_MS = 30_000;
const POLL_MS = 200;
const STOP_GRACE_MS = 5000;
const BAR_S = 1;

/** Seconds each phase took. */
interface UnlockFigures {
  readonly unlock: number;
  readonly session: number;
  readonly ssh: number;
  /** Start of `unlock` to end of `controller-tls`. */
  readonly both: number;
}

/**
 * Boots machines under software emulation, 2 processors, 1 GiB, that get their key and ciphertext from a
 * controller on this host, and prints how long they say it took.
 */
export async function benchUnlock(runs: number): Promise<void> {
  if ((await runImageCommand(["build"])) !== 0) throw new Error("Cannot build the image");
  const directory = mkdtempSync(join(tmpdir(), "node0-bench-"));
  const runDirectory = join(directory, "run");
  mkdirSync(runDirectory);
  ownRun(runDirectory);
  const { signal } = new AbortController();
  try {
    const controller = await startController({
      ...{ directory: join(directory, "controller"), runDirectory, signal },
      log: join(directory, "controller.log"),
    });
    try {
      const access = await ensurePrivate({
        ...{ directory: join(directory, "private"), controller, macs: [macOf(0)], signal },
        say: () => {},
      });
      const ca = readFileSync(controller.caFile, "utf8");
      const files = controllerFiles(Number(new URL(controller.url).port), ca);
      const password = readFileSync(access.passwordFile, "utf8").trim();
      const figures: UnlockFigures[] = [];
      for (let run = 0; run < runs; run += 1) figures.push(await bootOnce(files, password));
      report(figures);
    } finally {
      await endProcess(controller.identity, { word: runDirectory, graceMs: STOP_GRACE_MS });
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function bootOnce(
  files: ReturnType<typeof controllerFiles>,
  password: string,
): Promise<UnlockFigures> {
  const [kernel, initrd] = ["vmlinuz", "initrd.img"].map((name) => join(ROOT, "dist/image", name));
  if (kernel === undefined || initrd === undefined) throw new Error("Cannot find the image");
  await using machine = await startMachine({ kernel, initrd, accel: "tcg", files });
  await machine.waitPong(password, BOOT_LIMIT_MS);
  const client = await RawClient.connect(machine.port);
  try {
    await client.send([["AUTH", password]]);
    return figuresOf(await bootedWithSsh(client));
  } finally {
    client.close();
  }
}

/** The phase `ssh` runs beside the one that opens the endpoint. */
async function bootedWithSsh(client: RawClient): Promise<readonly PhaseStatus[]> {
  const endMs = performance.now() + SSH_LIMIT_MS;
  for (;;) {
    const [reply] = await client.send([["boot.status", "{}"]]);
    const { data } = JSON.parse(String(reply)) as { data: string };
    const { phases } = JSON.parse(data) as { phases: readonly PhaseStatus[] };
    if (phases.find(({ phase }) => phase === "ssh")?.state === "done") return phases;
    if (performance.now() > endMs) throw new Error(`ssh did not come up: ${data}`);
    await sleep(POLL_MS);
  }
}

function figuresOf(phases: readonly PhaseStatus[]): UnlockFigures {
  const timesOf = (name: string): { startMs: number; endMs: number } => {
    const found = phases.find(({ phase }) => phase === name);
    if (found?.state !== "done" || found.startMs === null || found.endMs === null) {
      throw new Error(`the phase ${name} is ${found?.state}: ${found?.reason}`);
    }
    return { startMs: found.startMs, endMs: found.endMs };
  };
  const secondsOf = (name: string): number => {
    const { startMs, endMs } = timesOf(name);
    return (endMs - startMs) / 1000;
  };
  const both = (timesOf("controller-tls").endMs - timesOf("unlock").startMs) / 1000;
  const [unlock, session] = [secondsOf("unlock"), secondsOf("controller-tls")];
  return { unlock, session, ssh: secondsOf("ssh"), both };
}

function report(figures: readonly UnlockFigures[]): void {
  const all = (name: keyof UnlockFigures): number[] => figures.map((one) => one[name]);
  const seconds = (name: keyof UnlockFigures): string => `${spread(all(name), 2)} s`;
  const isMet = median(all("unlock")) <= BAR_S;
  const title = `Unlock under tcg, 2 processors, 1 GiB, median (range) of ${figures.length} runs`;
  printFigures(title, [
    { name: "phase unlock", bar: "≤ 1.0 s", measured: seconds("unlock"), isMet },
  ]);
  console.log(`\ncontroller-tls ${seconds("session")}, both ${seconds("both")}`);
  console.log(`ssh, beside the phases after it: ${seconds("ssh")}`);
}
