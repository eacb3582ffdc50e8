import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentError } from "../../src/base/errors.ts";
import type { Qmp } from "../../src/vm/qmp.ts";
import { type BootLoader, prepareBoot } from "./boot.ts";
import { Machine, type MachinePorts } from "./machine.ts";
import type { MachineOptions } from "./options.ts";
import { endProcess } from "./process-identity.ts";
import { buildQemuArguments, forwardOf, GUEST_PORT, GUEST_SSH_PORT } from "./qemu-arguments.ts";
import { startQemu } from "./qemu-process.ts";
import { ownRun, writeOwner } from "./run-owner.ts";

const QCOW2_MAGIC = "QFI\xfb";

/**
 * Starts a machine in QEMU and resolves as soon as its processors run.
 *
 * Unless detached, the machine ends with this process, however that ends.
 *
 * @throws AgentError `E_MACHINE_START` with what QEMU said.
 */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const directory = options.directory ?? makeMachineDirectory();
  let boot: BootLoader | null = null;
  if (options.isDetached) ownRun(directory);
  try {
    boot = await prepareBoot(options, directory);
    return await launch(options, directory, boot);
  } catch (error) {
    await boot?.close();
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Its name is unlike any other: by it the processes of a machine are recognised. */
export function makeMachineDirectory(): string {
  return mkdtempSync(join(tmpdir(), "node0-vm-"));
}

async function launch(
  options: MachineOptions,
  directory: string,
  boot: BootLoader,
): Promise<Machine> {
  const serialLog = options.serialLog ?? join(directory, "serial.log");
  const taps = options.taps ?? [];
  const userNics = taps.length > 0 ? 0 : (options.nics ?? 1);
  writeFileSync(serialLog, "");
  const args = buildQemuArguments({
    accel: options.accel,
    memoryMiB: options.memoryMiB ?? 1024,
    cpus: options.cpus ?? 2,
    nics: userNics,
    taps,
    isRestricted: options.isRestricted ?? false,
    clockBase: options.clockBase,
    boot: boot.arguments,
    diskPath: options.diskPath ?? null,
    diskFormat: typeof options.diskPath === "string" ? diskFormatOf(options.diskPath) : "raw",
    readOnlyDrives: options.readOnlyDrives ?? [],
    drives: options.drives ?? [],
    serialLog,
    serialSocket: join(directory, "serial.sock"),
    qmpSocket: join(directory, "qmp.sock"),
  });
  const qemu = await startQemu(args, {
    directory,
    isDetached: options.isDetached ?? false,
    ...(options.namespacePid === undefined ? {} : { namespacePid: options.namespacePid }),
  });
  if (options.isDetached) writeOwner(directory, qemu.identity);
  try {
    const ports = userNics === 0 ? null : await forwardPorts(qemu.qmp);
    for (const nic of options.linksDown ?? []) {
      await qemu.qmp.execute("set_link", { name: `nic${nic}`, up: false });
    }
    const startedAtMs = performance.now();
    await qemu.qmp.execute("cont");
    return new Machine({ ...qemu, ports, serialLog, directory, boot, startedAtMs });
  } catch (error) {
    await endProcess(qemu.identity, { word: directory, graceMs: 0 });
    throw error;
  }
}

/**
 * The ports QEMU picked. That of sshd is added here: the file that describes the card iPXE boots from
 * has room for one.
 */
async function forwardPorts(qmp: Qmp): Promise<MachinePorts> {
  const monitor = async (line: string): Promise<string> =>
    String(await qmp.execute("human-monitor-command", { "command-line": line })).trim();
  const refusal = await monitor(`hostfwd_add n0 ${forwardOf(GUEST_SSH_PORT)}`);
  if (refusal !== "") {
    throw new AgentError("E_MACHINE_PORT", `Cannot forward a port to sshd: ${refusal}`);
  }
  const table = await monitor("info usernet");
  return { redis: hostPortOf(table, GUEST_PORT), ssh: hostPortOf(table, GUEST_SSH_PORT) };
}

/** Reads QEMU's own table of forwarded connections. */
function hostPortOf(table: string, guestPort: number): number {
  for (const line of table.split("\n")) {
    // TCP[HOST_FORWARD]  12       127.0.0.1 40187       10.0.2.15  6379     0     0
    const [kind, , , port, , target] = line.trim().split(/\s+/);
    if (kind === "TCP[HOST_FORWARD]" && target === String(guestPort)) return Number(port);
  }
  throw new AgentError("E_MACHINE_PORT", `Cannot find the forwarded port in: ${table}`);
}

/** QEMU does not let a guest write the first sector of a disk whose format it had to guess. */
function diskFormatOf(path: string): "raw" | "qcow2" {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(QCOW2_MAGIC.length);
    readSync(file, start);
    return start.toString("latin1") === QCOW2_MAGIC ? "qcow2" : "raw";
  } finally {
    closeSync(file);
  }
}
