import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AgentError, errorText } from "../src/base/errors.ts";
import { probeAcceleration } from "../src/vm/accel.ts";
import { type BootOutcome, watchBoot, watchSerialBoot } from "./machine/boot-watch.ts";
import { ensureImage } from "./machine/image.ts";
import { clearPrivateWork } from "./machine/machine-private.ts";
import { openProgress } from "./machine/progress.ts";
import { followFile, readSerial } from "./machine/serial-log.ts";
import { parseUpOptions, UP_USAGE, type UpOptions } from "./machine/up-options.ts";
import {
  clearRun,
  isRunning,
  isStarting,
  readStartedRun,
  readUpRecord,
  STATE_DIRECTORY,
  writeContext,
  writeUpRecord,
} from "./machine/up-record.ts";
import { formatReport } from "./machine/up-report.ts";
import { type Started, startUp } from "./machine/up-start.ts";

const ROOT = join(import.meta.dirname, "..");
/** Software emulation on a busy host is slow; a boot takes 6 s where nothing else runs. */
const BOOT_LIMIT_MS = 180_000;
const SHOWN_SERIAL_LINES = 25;
const INTERRUPTED_STATUS = 130;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function up(options: UpOptions): Promise<void> {
  const state = options.stateDirectory ?? STATE_DIRECTORY;
  mkdirSync(state, { recursive: true });
  await clearEndedRun(state);
  const cachePath = join(STATE_DIRECTORY, "cache/accel.json");
  const acceleration = await probeAcceleration({ cachePath });
  say(`up: acceleration ${acceleration.accel}: ${acceleration.reason}`);
  const image = await ensureImage(ROOT);
  // That may have taken minutes: another one may have begun by now.
  await clearEndedRun(state);
  const interruption = new AbortController();
  const { signal } = interruption;
  const sayUp = (line: string): void => say(`up: ${line}`);
  const starting = startUp({ state, options, acceleration, image, say: sayUp, signal });
  const end = (keepLog: boolean): Promise<void> => endRun(state, starting, keepLog);
  onInterrupt(async () => {
    interruption.abort();
    await end(false);
  });
  let started: Started | null = null;
  try {
    started = await starting;
    await bring(started, { state, options });
  } catch (error) {
    // The handler of the signal ends the run, and this process.
    if (signal.aborted) return;
    if (started !== null) say(lastSerialLines(started.record.serialLog));
    await end(true);
    throw error;
  }
  const { machine, record } = started;
  if (!options.isForeground) return await machine.release();
  const unfollow = options.isJson ? null : followFile(record.serialLog, process.stdout);
  await machine.waitExit(null);
  unfollow?.();
  await end(false);
}

/** Refuses to start a second machine; what a run left behind that is over is cleared. */
async function clearEndedRun(state: string): Promise<void> {
  const last = readUpRecord(state);
  if (last !== null && isRunning(last)) {
    throw new AgentError(
      "E_UP_RUNNING",
      `Cannot start a machine: one is running already (QEMU ${last.qemuPid}), stop it with scripts/down`,
    );
  }
  if (last !== null) await clearRun(state, last.run, { keepLog: false });
  const begun = readStartedRun(state);
  if (begun === null) return;
  if (isStarting(begun)) {
    throw new AgentError("E_UP_RUNNING", "Cannot start a machine: one is being started already");
  }
  await clearRun(state, begun, { keepLog: false });
  await clearPrivateWork();
}

interface Place {
  readonly state: string;
  readonly options: UpOptions;
}

/** Follows the boot to its end, then says how to reach the machine. */
async function bring(started: Started, { state, options }: Place): Promise<void> {
  writeUpRecord(state, started.record);
  const { timeline, answeredMs, sshMs } = await watch(started);
  const record = { ...started.record, timeline };
  if (record.redis !== null) writeContext(state, record.redis);
  writeUpRecord(state, record);
  if (options.isJson) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  const place = { options, root: ROOT, cwd: process.cwd() };
  say(formatReport(record, { ...place, answeredMs, sshMs }));
}

async function watch({ machine, password, record }: Started): Promise<BootOutcome> {
  const progress = openProgress(process.stderr);
  const timeoutMs = BOOT_LIMIT_MS;
  if (record.redis !== null) {
    const { port } = record.redis;
    const hasSsh = record.ssh !== null;
    return await watchBoot(machine, { password, port, hasSsh, timeoutMs, progress });
  }
  await watchSerialBoot(machine, { timeoutMs, progress });
  return { timeline: [], answeredMs: null, sshMs: null };
}

/** Ends what there is of a run, however far its start has come. */
async function endRun(state: string, starting: Promise<Started>, keepLog: boolean): Promise<void> {
  const started = await starting.catch(() => null);
  await started?.machine.stop();
  const run = started?.record.run ?? readStartedRun(state);
  if (run !== null) await clearRun(state, run, { keepLog });
}

/** A second Ctrl-C must not cut the clearing up short: a machine would be left without its record. */
function onInterrupt(end: () => Promise<void>): void {
  let isEnding = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (isEnding) return;
      isEnding = true;
      void end().finally(() => process.exit(INTERRUPTED_STATUS));
    });
  }
}

function lastSerialLines(path: string): string {
  const lines = readSerial(path).trimEnd().split("\n");
  return [`up: last lines of ${path}:`, ...lines.slice(-SHOWN_SERIAL_LINES)].join("\n");
}

try {
  const options = parseUpOptions(process.argv.slice(2));
  if (options.isHelp) process.stdout.write(`${UP_USAGE}\n`);
  else await up(options);
} catch (error) {
  say(`up: ${errorText(error)}`);
  process.exitCode = error instanceof AgentError && error.code === "E_USAGE" ? 2 : 1;
}
