import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AgentError, errorText } from "../src/base/errors.ts";
import { type Acceleration, probeAcceleration } from "../src/vm/accel.ts";
import { type BootOutcome, watchBoot, watchSerialBoot } from "./machine/boot-watch.ts";
import { ensureImage, type ImageFiles } from "./machine/image.ts";
import type { Machine } from "./machine/machine.ts";
import { ensurePassword } from "./machine/password.ts";
import { openProgress } from "./machine/progress.ts";
import { followFile, readSerial } from "./machine/serial-log.ts";
import { startMachine } from "./machine/start-machine.ts";
import { parseUpOptions, UP_USAGE, type UpOptions } from "./machine/up-options.ts";
import {
  clearRun,
  isRunning,
  PASSWORD,
  readUpRecord,
  SERIAL_LOG,
  STATE_DIRECTORY,
  type UpRecord,
  writeContext,
  writeUpRecord,
} from "./machine/up-record.ts";
import { formatReport } from "./machine/up-report.ts";

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
  const password = ensurePassword(join(state, PASSWORD));
  say(`up: booting, ${describe(options)}`);
  const machine = await startMachine({
    ...options,
    ...image,
    accel: acceleration.accel,
    password,
    serialLog: join(state, SERIAL_LOG),
    isDetached: !options.isForeground,
  });
  let record = describeRun(machine, { state, options, acceleration, image });
  writeUpRecord(state, record);
  const end = (keepLog: boolean): Promise<void> => endRun(machine, { state, record, keepLog });
  onInterrupt(() => end(false));
  try {
    const { timeline, answeredMs } = await watch(machine, { password, record });
    if (record.redis !== null) writeContext(state, record.redis);
    record = { ...record, timeline };
    writeUpRecord(state, record);
    if (options.isJson) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
    say(formatReport(record, { options, answeredMs, root: ROOT, cwd: process.cwd() }));
  } catch (error) {
    say(lastSerialLines(record.serialLog));
    await end(true);
    throw error;
  }
  if (!options.isForeground) return await machine.release();
  const unfollow = options.isJson ? null : followFile(record.serialLog, process.stdout);
  await machine.waitExit(null);
  unfollow?.();
  await end(false);
}

/** Refuses to start a second machine; what a machine left behind that ended by itself is cleared. */
async function clearEndedRun(state: string): Promise<void> {
  const last = readUpRecord(state);
  if (last === null) return;
  if (isRunning(last)) {
    throw new AgentError(
      "E_UP_RUNNING",
      `Cannot start a machine: one is running already (QEMU ${last.qemuPid}), stop it with scripts/down`,
    );
  }
  await clearRun(state, last, { keepLog: false });
}

interface RunFacts {
  readonly state: string;
  readonly options: UpOptions;
  readonly acceleration: Acceleration;
  readonly image: ImageFiles;
}

function describeRun(machine: Machine, facts: RunFacts): UpRecord {
  const { state, options, acceleration, image } = facts;
  const { helper, identity } = machine;
  return {
    redis:
      options.nics === 0
        ? null
        : { host: "127.0.0.1", port: machine.port, passwordFile: join(state, PASSWORD) },
    serialLog: machine.serialLog,
    qemuPid: identity.pid,
    accel: acceleration.accel,
    accelReason: acceleration.reason,
    timeline: [],
    image: { kernelBytes: image.kernelBytes, initrdBytes: image.initrdBytes },
    run: {
      directory: machine.directory,
      processes: helper === null ? [identity] : [identity, helper],
    },
  };
}

function describe({ cpus, memoryMiB, nics, boot }: UpOptions): string {
  const way = boot === "ipxe" ? ", by iPXE over HTTP" : "";
  return `processors ${cpus}, memory ${memoryMiB} MiB, network cards ${nics}${way}`;
}

async function watch(
  machine: Machine,
  { password, record }: { readonly password: string; readonly record: UpRecord },
): Promise<BootOutcome> {
  const progress = openProgress(process.stderr);
  const timeoutMs = BOOT_LIMIT_MS;
  if (record.redis !== null) {
    return await watchBoot(machine, { password, port: record.redis.port, timeoutMs, progress });
  }
  await watchSerialBoot(machine, { timeoutMs, progress });
  return { timeline: [], answeredMs: null };
}

interface RunEnd {
  readonly state: string;
  readonly record: UpRecord;
  readonly keepLog: boolean;
}

async function endRun(machine: Machine, { state, record, keepLog }: RunEnd): Promise<void> {
  await machine.stop();
  await clearRun(state, record, { keepLog });
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
