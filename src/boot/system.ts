import { AgentError, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import { setLinkUp } from "../sys/links-linux.ts";
import { readMounts } from "../sys/mounts.ts";
import type { ensureClockNotBefore } from "../sys/set-clock.ts";
import { QUIET_KERNEL, SYSCTLS } from "./sysctls.ts";

export interface SystemOptions {
  readonly files: Files;
  readonly log: Logger;
  /** Null: derived from the first hardware address. */
  readonly hostname: string | null;
  /** Hardware address of the first interface; empty where there is none. */
  readonly mac: string;
  /** True: kernel messages of every level stay on the console. */
  readonly isDebug: boolean;
  /** Process id of the agent. */
  readonly pid: number;
  /** When the software was made, milliseconds since the epoch; null where nobody knows. */
  readonly builtAtMs: number | null;
  /** Default: the clock of the kernel. */
  readonly ensureClock?: typeof ensureClockNotBefore;
}

export const RUN_DIRECTORY = "/run/node0";
export const CGROUP_ROOT = "/sys/fs/cgroup";

const HOSTNAME = "/proc/sys/kernel/hostname";
/** What the kernel and PID 1 start with. */
const NO_NAMES: readonly string[] = ["", "(none)", "localhost", "node0"];

/** Groups at the top of the tree; those with `true` hand controllers on to their members. */
const CGROUPS: Readonly<Record<string, boolean>> = {
  agent: false,
  // DHCP clients are in there already, and giving them controllers would move each of them.
  services: false,
  // A cgroup with controllers takes several times as long to create, and jobs come by the thousand.
  jobs: false,
  containers: true,
  vms: true,
};

const CONTROLLERS = ["cpu", "io", "memory", "pids"] as const;

/**
 * The `system` phase: what the kernel and PID 1 leave to the agent. Every step may be repeated: an
 * agent that was restarted finds everything in place.
 *
 * @returns One line about the machine.
 * @throws AgentError `E_SYSTEM_MOUNT` when PID 1 did not mount what the agent needs.
 */
export async function prepareSystem(options: SystemOptions): Promise<string> {
  requireMounts(options.files);
  // Compared here already: a machine with a good clock does not even load the code that sets it.
  if (options.builtAtMs !== null && Date.now() < options.builtAtMs) {
    await setClock(options, options.builtAtMs);
  }
  options.files.ensureDirectory(RUN_DIRECTORY, 0o700);
  const hostname = options.hostname ?? givenHostname(options.files) ?? hostnameFromMac(options.mac);
  attempt(options, "hostname", () => setHostname(options.files, hostname));
  attempt(options, "loopback", () => setLinkUp(options.files, "lo"));
  const wanted = options.isDebug ? SYSCTLS : { ...SYSCTLS, ...QUIET_KERNEL };
  const skipped = Object.entries(wanted).filter(([name, value]) => {
    const path = `/proc/sys/${name}`;
    return (
      !options.files.exists(path) ||
      !attempt(options, name, () => options.files.writeText(path, value))
    );
  });
  if (skipped.length > 0) {
    options.log.debug("kernel settings not available", { names: skipped.map(([name]) => name) });
  }
  return `host name ${hostname}, ${prepareCgroups(options)}`;
}

/** As the kernel has it; empty where it cannot be read. */
export function readHostname(files: Pick<Files, "readText">): string {
  return files.readText(HOSTNAME)?.trim() ?? "";
}

/** `node0-525400123456`; plain `node0` for a machine without interface. */
export function hostnameFromMac(mac: string): string {
  const digits = mac.replaceAll(":", "");
  return digits === "" ? "node0" : `node0-${digits}`;
}

/** A clock that cannot be set makes certificates fail later on, with a reason of their own. */
async function setClock({ log, ensureClock }: SystemOptions, builtAtMs: number): Promise<void> {
  try {
    const ensure = ensureClock ?? (await import("../sys/set-clock.ts")).ensureClockNotBefore;
    const outcome = await ensure(builtAtMs);
    if (outcome.isSet) log.warn("clock was older than the software", { movedMs: outcome.byMs });
  } catch (error) {
    log.warn("system step failed", { step: "clock", cause: errorText(error) });
  }
}

/** Does nothing when the machine has this name already. @throws the system error. */
export function setHostname(files: Files, name: string): void {
  if (files.readText(HOSTNAME)?.trim() !== name) files.writeText(HOSTNAME, `${name}\n`);
}

/** The name an earlier agent gave the machine, perhaps that of its overlay; undefined after power-on. */
function givenHostname(files: Files): string | undefined {
  const name = readHostname(files);
  return NO_NAMES.includes(name) ? undefined : name;
}

function requireMounts(files: Files): void {
  const types = new Map(readMounts(files).map(({ mountpoint, type }) => [mountpoint, type]));
  for (const path of ["/proc", "/sys", "/dev"]) {
    if (!types.has(path)) {
      throw new AgentError("E_SYSTEM_MOUNT", `Cannot prepare the system: ${path} is not mounted`);
    }
  }
}

function prepareCgroups(options: SystemOptions): string {
  const { files, pid } = options;
  const available = files.readText(`${CGROUP_ROOT}/cgroup.controllers`)?.trim().split(" ");
  if (available === undefined) return "no cgroup v2, resource limits are not supported";
  const wanted = CONTROLLERS.filter((name) => available.includes(name));
  attempt(options, "controllers", () => handOn(files, CGROUP_ROOT, wanted));
  for (const [name, handsOn] of Object.entries(CGROUPS)) {
    attempt(options, `cgroup ${name}`, () => {
      files.ensureDirectory(`${CGROUP_ROOT}/${name}`, 0o755);
      if (handsOn) handOn(files, `${CGROUP_ROOT}/${name}`, wanted);
    });
  }
  attempt(options, "cgroup of the agent", () => enterCgroup(files, pid));
  return `cgroup v2 with ${wanted.join(", ")}`;
}

/** Lets the members of a group have controllers. Writing what is set already would cost time. */
function handOn(files: Files, group: string, controllers: readonly string[]): void {
  const path = `${group}/cgroup.subtree_control`;
  const enabled = files.readText(path)?.trim().split(" ") ?? [];
  const missing = controllers.filter((name) => !enabled.includes(name));
  if (missing.length > 0) files.writeText(path, missing.map((name) => `+${name}`).join(" "));
}

/** PID 1 has normally done this: a move makes the kernel wait until every CPU was idle or switched. */
function enterCgroup(files: Files, pid: number): void {
  if (files.readText(`/proc/${pid}/cgroup`)?.trim() === "0::/agent") return;
  files.writeText(`${CGROUP_ROOT}/agent/cgroup.procs`, `${pid}`);
}

/** A step the machine can do without: logged, not fatal. */
function attempt(options: SystemOptions, step: string, action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    options.log.warn("system step failed", { step, cause: errorText(error) });
    return false;
  }
}
