import { hostname, release } from "node:os";
import { parseOsRelease } from "./os-release.ts";
import { listPids } from "./pids.ts";
import { readText, readTextAsync } from "./read-text.ts";
import { guessVirtualization, type MachineHints } from "./virtualization.ts";

/** Identity of the machine, in the shape of `info.os`. */
export interface HostInfo {
  readonly hostname: string;
  /** Seconds. */
  readonly uptime: number;
  /** Seconds since the epoch. */
  readonly bootTime: number;
  readonly procs: number;
  readonly os: string;
  readonly platform: string;
  readonly platformFamily: string;
  readonly platformVersion: string;
  readonly kernelVersion: string;
  readonly virtualizationSystem: string;
  readonly virtualizationRole: string;
  readonly hostid: string;
}

export async function readHostInfo(): Promise<HostInfo> {
  const osRelease = readText("/etc/os-release") ?? readText("/usr/lib/os-release") ?? "";
  return {
    hostname: hostname(),
    uptime: parseUptime(readText("/proc/uptime") ?? ""),
    bootTime: parseBootTime(readText("/proc/stat") ?? ""),
    procs: listPids().length,
    os: "linux",
    ...parseOsRelease(osRelease),
    kernelVersion: release(),
    ...guessVirtualization(await readMachineHints()),
    hostid: chooseHostId(
      readText("/sys/class/dmi/id/product_uuid"),
      readText("/proc/sys/kernel/random/boot_id"),
    ),
  };
}

/** Whole seconds since the kernel started, from `/proc/uptime`. */
export function parseUptime(text: string): number {
  return Math.floor(Number.parseFloat(text) || 0);
}

/** `btime` of `/proc/stat`: when the kernel started, in seconds since the epoch. */
export function parseBootTime(text: string): number {
  return Number(/^btime (\d+)$/m.exec(text)?.[1] ?? 0);
}

/**
 * The firmware's UUID of the machine, else the kernel's id of this boot, in lower case. All zeros
 * and all ones mean "not set" and "not present".
 * Source: SMBIOS reference specification (DSP0134), 7.2.1.
 */
export function chooseHostId(productUuid: string | undefined, bootId: string | undefined): string {
  const uuid = (productUuid ?? "").trim().toLowerCase();
  const isUsable = /^[0-9a-f-]{36}$/.test(uuid) && !/^(?:[0-]+|[f-]+)$/.test(uuid);
  return isUsable ? uuid : (bootId ?? "").trim().toLowerCase();
}

async function readMachineHints(): Promise<MachineHints> {
  const fact = (path: string): string => (readText(path) ?? "").trim();
  const dmi = "/sys/class/dmi/id";
  return {
    hasHypervisorFlag: /^flags\s*:.*\bhypervisor\b/m.test(
      (await readTextAsync("/proc/cpuinfo")) ?? "",
    ),
    hypervisorType: fact("/sys/hypervisor/type"),
    firmware: `${fact(`${dmi}/sys_vendor`)} ${fact(`${dmi}/product_name`)}`,
    clockSources: fact("/sys/devices/system/clocksource/clocksource0/available_clocksource"),
    container: await readContainer(),
    hasKvmModule: /^kvm /m.test(fact("/proc/modules")),
  };
}

/**
 * The name of the container engine the agent runs under, as engines tell it to PID 1. Marker files
 * are not asked: they stay behind in file systems that were copied out of a container. The environment
 * lies in the memory of PID 1, whose lock may be taken, hence off the main thread.
 */
async function readContainer(): Promise<string> {
  const environ = (await readTextAsync("/proc/1/environ")) ?? "";
  const marked = environ.split("\0").find((entry) => entry.startsWith("container="));
  return marked?.slice("container=".length) ?? "";
}
