import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
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
  readUpRecord,
  SERIAL_LOG,
  type UpRecord,
  writeContext,
  writeUpRecord,
} from "./machine/up-record.ts";

const ROOT = join(import.meta.dirname, "..");
const STATE = join(ROOT, ".node0");
const PASSWORD_FILE = join(STATE, "password");
/** Software emulation on a busy host is slow; a boot takes 6 s where nothing else runs. */
const BOOT_LIMIT_MS = 180_000;
const SHOWN_SERIAL_LINES = 25;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function up(options: UpOptions): Promise<void> {
  mkdirSync(STATE, { recursive: true });
  await clearEndedRun();
  const acceleration = await probeAcceleration({ cachePath: join(STATE, "cache/accel.json") });
  say(`up: acceleration ${acceleration.accel}: ${acceleration.reason}`);
  const image = await ensureImage(ROOT);
  const password = ensurePassword(PASSWORD_FILE);
  say(`up: booting, ${describe(options)}`);
  const machine = await startMachine({
    ...options,
    ...image,
    accel: acceleration.accel,
    password,
    serialLog: join(STATE, SERIAL_LOG),
    isDetached: !options.isForeground,
  });
  let record = describeRun(machine, { options, acceleration, image });
  writeUpRecord(STATE, record);
  const end = (keepLog: boolean): Promise<void> => endRun(machine, record, keepLog);
  onInterrupt(() => end(false));
  try {
    const { timeline, answeredMs } = await watch(machine, { password, record });
    if (record.redis !== null) writeContext(STATE, record.redis);
    record = { ...record, timeline };
    writeUpRecord(STATE, record);
    report(record, { options, answeredMs });
  } catch (error) {
    say(lastSerialLines());
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
async function clearEndedRun(): Promise<void> {
  const last = readUpRecord(STATE);
  if (last === null) return;
  if (isRunning(last)) {
    throw new AgentError(
      "E_UP_RUNNING",
      `Cannot start a machine: one is running already (QEMU ${last.qemuPid}), stop it with scripts/down`,
    );
  }
  await clearRun(STATE, last, { keepLog: false });
}

interface RunFacts {
  readonly options: UpOptions;
  readonly acceleration: Acceleration;
  readonly image: ImageFiles;
}

function describeRun(machine: Machine, { options, acceleration, image }: RunFacts): UpRecord {
  const { helper, identity } = machine;
  return {
    redis:
      options.nics === 0
        ? null
        : { host: "127.0.0.1", port: machine.port, passwordFile: PASSWORD_FILE },
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

function report(
  record: UpRecord,
  { options, answeredMs }: { readonly options: UpOptions; readonly answeredMs: number | null },
): void {
  if (options.isJson) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  const { redis } = record;
  const near = (path: string): string => relative(process.cwd(), path);
  const password = near(PASSWORD_FILE);
  say(
    answeredMs === null
      ? "up: running, not reachable: the machine has no network card"
      : `up: answered ${(answeredMs / 1000).toFixed(1)} s after start`,
  );
  say("");
  if (redis !== null) {
    say(`  REDISCLI_AUTH=$(cat ${password}) redis-cli -p ${redis.port} core.ping`);
    say(`  ${near(join(ROOT, "bin/node0"))} status`);
  }
  say(`  tail -f ${near(record.serialLog)}`);
  say(
    `  ${options.isForeground ? "Ctrl-C" : near(join(ROOT, "scripts/down"))}    # stops the machine`,
  );
}

async function endRun(machine: Machine, record: UpRecord, keepLog: boolean): Promise<void> {
  await machine.stop();
  await clearRun(STATE, record, { keepLog });
}

function onInterrupt(end: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      void end().finally(() => process.exit(130));
    });
  }
}

function lastSerialLines(): string {
  const lines = readSerial(join(STATE, SERIAL_LOG)).trimEnd().split("\n");
  return [`up: last lines of ${SERIAL_LOG}:`, ...lines.slice(-SHOWN_SERIAL_LINES)].join("\n");
}

try {
  const options = parseUpOptions(process.argv.slice(2));
  if (options.isHelp) process.stdout.write(`${UP_USAGE}\n`);
  else await up(options);
} catch (error) {
  say(`up: ${errorText(error)}`);
  process.exitCode = error instanceof AgentError && error.code === "E_USAGE" ? 2 : 1;
}
