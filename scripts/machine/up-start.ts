import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Acceleration } from "../../src/vm/accel.ts";
import { controllerFiles } from "./controller-files.ts";
import { type ControllerProcess, startController } from "./controller-process.ts";
import { requireHostTools } from "./host-tools.ts";
import type { ImageFiles } from "./image.ts";
import type { Machine } from "./machine.ts";
import { ensurePrivate, type PrivateAccess } from "./machine-private.ts";
import { ensurePassword } from "./password.ts";
import { MOST_NICS, macOf } from "./qemu-arguments.ts";
import { ownRun } from "./run-owner.ts";
import { makeMachineDirectory, startMachine } from "./start-machine.ts";
import type { UpOptions } from "./up-options.ts";
import {
  CONTROLLER,
  CONTROLLER_LOG,
  PASSWORD,
  PRIVATE,
  SERIAL_LOG,
  type UpRecord,
  writeStartedRun,
} from "./up-record.ts";

export interface UpStart {
  readonly state: string;
  readonly options: UpOptions;
  readonly acceleration: Acceleration;
  readonly image: ImageFiles;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Started {
  readonly machine: Machine;
  readonly password: string;
  readonly record: UpRecord;
}

/** The controller of a machine and what it made for it. */
interface Chain {
  readonly controller: ControllerProcess;
  readonly access: PrivateAccess;
}

/**
 * Starts the controller, makes the machine known to it, and starts the machine. What was started when
 * this fails is in `starting.json` of the state directory.
 */
export async function startUp(start: UpStart): Promise<Started> {
  const { state, options, acceleration, image, say, signal } = start;
  const directory = makeMachineDirectory();
  ownRun(directory);
  writeStartedRun(state, { directory, processes: [] });
  if (!options.hasController) say(`no controller${options.nics === 0 ? ": no network card" : ""}`);
  const chain = options.hasController ? await startChain(start, directory) : null;
  const passwordFile = chain?.access.passwordFile ?? join(state, PASSWORD);
  const password = chain === null ? ensurePassword(passwordFile) : readLine(passwordFile);
  signal.throwIfAborted();
  say(`booting, ${describe(options)}`);
  const machine = await startMachine({
    ...options,
    ...image,
    ...(chain === null ? { password } : { files: filesOf(chain.controller) }),
    accel: acceleration.accel,
    serialLog: join(state, SERIAL_LOG),
    isDetached: !options.isForeground,
    directory,
  });
  return { machine, password, record: describeRun(machine, { start, passwordFile, chain }) };
}

async function startChain(start: UpStart, runDirectory: string): Promise<Chain> {
  const { state, say, signal } = start;
  requireHostTools();
  const controller = await startController({
    directory: join(state, CONTROLLER),
    runDirectory,
    log: join(state, CONTROLLER_LOG),
    signal,
  });
  writeStartedRun(state, { directory: runDirectory, processes: [controller.identity] });
  // All addresses it can ever have: it stays the same machine with other numbers of cards.
  const macs = Array.from({ length: MOST_NICS }, (_, nic) => macOf(nic));
  const directory = join(state, PRIVATE);
  const access = await ensurePrivate({ directory, controller, macs, say, signal });
  say(`controller ${controller.url}, machine ${access.node}`);
  return { controller, access };
}

function filesOf({ url, caFile }: ControllerProcess) {
  return controllerFiles(Number(new URL(url).port), readFileSync(caFile, "utf8"));
}

function readLine(path: string): string {
  return readFileSync(path, "utf8").split("\n")[0] ?? "";
}

function describe({ cpus, memoryMiB, nics, boot }: UpOptions): string {
  const way = boot === "ipxe" ? ", by iPXE over HTTP" : "";
  return `processors ${cpus}, memory ${memoryMiB} MiB, network cards ${nics}${way}`;
}

interface RunFacts {
  readonly start: UpStart;
  readonly passwordFile: string;
  readonly chain: Chain | null;
}

function describeRun(machine: Machine, { start, passwordFile, chain }: RunFacts): UpRecord {
  const { options, acceleration, image } = start;
  const { helper, identity } = machine;
  const host = "127.0.0.1";
  const helpers = [helper, chain?.controller.identity ?? null].filter((one) => one !== null);
  return {
    redis: options.nics === 0 ? null : { host, port: machine.port, passwordFile },
    ...describeChain(chain, machine),
    serialLog: machine.serialLog,
    qemuPid: identity.pid,
    accel: acceleration.accel,
    accelReason: acceleration.reason,
    timeline: [],
    image: { kernelBytes: image.kernelBytes, initrdBytes: image.initrdBytes },
    run: { directory: machine.directory, processes: [identity, ...helpers] },
  };
}

function describeChain(
  chain: Chain | null,
  machine: Machine,
): Pick<UpRecord, "ssh" | "controller"> {
  if (chain === null) return { ssh: null, controller: null };
  const { url, caFile, tokenFile } = chain.controller;
  const { node, identityFile, knownHostsFile } = chain.access;
  return {
    ssh: {
      host: "127.0.0.1",
      port: machine.sshPort,
      user: "root",
      identityFile,
      knownHostsFile,
      hostKeyAlias: node,
    },
    controller: { url, caFile, page: `${url}/`, tokenFile, node },
  };
}
