import { setTimeout as delay } from "node:timers/promises";
import { AgentError } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import type { DhcpClients } from "./dhcp-clients.ts";
import { isOver, type Lease, parseLease, readUptime } from "./lease.ts";

export interface UdhcpcOptions {
  readonly files: Files;
  /** Where pid, lease and mark files are. Default `/run/node0/dhcp`. */
  readonly directory?: string;
  /** Default `/usr/lib/node0/udhcpc-hook`. */
  readonly hook?: string;
  /** Cgroup directory the clients are moved to; null leaves them where the agent is. */
  readonly cgroup: string | null;
  /** Told of each value of a lease that is not used, once. */
  readonly log?: Logger;
}

export const DHCP_DIRECTORY = "/run/node0/dhcp";
export const UDHCPC_HOOK = "/usr/lib/node0/udhcpc-hook";

const POLL_MS = 20;
/** A release is one packet and one run of the hook. */
const RELEASE_MS = 1000;
const END_MS = 1000;
/** Two signals that wait at the same time are seen in no certain order. */
const SIGNAL_GAP_MS = 50;
/** Values of one interface that are remembered as reported; a server that invents more is not worth it. */
const MAX_REPORTED = 64;

/**
 * Eight questions one second apart, four seconds of rest, and again without end: quick when the first
 * packets of a link are lost, quiet on a network without a server. Options udhcpc asks for by itself:
 * 1, 3, 6, 12, 15, 28 and 42. The same words are in etc/network/early-network.
 */
const QUESTIONS = [
  ...["-t", "8", "-T", "1", "-A", "4"],
  ...["-O", "mtu", "-O", "search", "-O", "staticroutes", "-O", "msstaticroutes"],
];

/**
 * Busybox udhcpc as DHCP client. The clients do not belong to the agent: they keep the lease while it
 * restarts, and the next agent finds them by their pid file. Files and hook: docs/dhcp.md.
 */
export class Udhcpc implements DhcpClients {
  readonly #files: Files;
  readonly #directory: string;
  readonly #hook: string;
  readonly #cgroup: string | null;
  readonly #log: Logger | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #reported = new Map<string, Set<string>>();

  constructor(options: UdhcpcOptions) {
    this.#files = options.files;
    this.#directory = options.directory ?? DHCP_DIRECTORY;
    this.#hook = options.hook ?? UDHCPC_HOOK;
    this.#cgroup = options.cgroup;
    this.#log = options.log;
  }

  isRunning(interfaceName: string): boolean {
    return this.#pid(interfaceName) !== undefined;
  }

  async start(interfaceName: string): Promise<void> {
    if (this.isRunning(interfaceName)) return;
    this.#files.ensureDirectory(this.#directory, 0o700);
    const pidFile = this.#path(interfaceName, "pid");
    const words = ["udhcpc", "-f", "-i", interfaceName, "-p", pidFile, "-s", this.#hook];
    const onExit = (): void => {
      for (const listener of this.#listeners) listener();
    };
    const pid = await spawnDetached([...words, ...QUESTIONS], this.#environment(), onExit);
    this.#files.writeText(pidFile, `${pid}\n`);
    this.#moveToCgroup(pid);
  }

  renew(interfaceName: string): void {
    if (this.lease(interfaceName) !== undefined) {
      this.#signal(interfaceName, "SIGUSR1");
      return;
    }
    // A client without a lease may be in its rest, and starts anew only from the released state.
    this.#signal(interfaceName, "SIGUSR2");
    setTimeout(() => this.#signal(interfaceName, "SIGUSR1"), SIGNAL_GAP_MS).unref();
  }

  async stop(interfaceName: string): Promise<void> {
    const isEnded = (): boolean => !this.isRunning(interfaceName);
    // With the mark still there the hook takes address and routes away, after the last packet.
    if (this.leaseText(interfaceName)) {
      this.#signal(interfaceName, "SIGUSR2");
      await until(() => isEnded() || !this.leaseText(interfaceName), RELEASE_MS);
    }
    this.#signal(interfaceName, "SIGTERM");
    if (!(await until(isEnded, END_MS))) {
      this.#signal(interfaceName, "SIGKILL");
      await until(isEnded, END_MS);
    }
    // Its hook was under way when the signal came, or it never saw the signal.
    if (this.leaseText(interfaceName) && this.inUseMetric(interfaceName) !== null) {
      await this.#runHook(interfaceName, "nak");
    }
    for (const suffix of ["lease", "use", "pid"]) {
      this.#files.remove(this.#path(interfaceName, suffix));
    }
    this.#reported.delete(interfaceName);
  }

  lease(interfaceName: string): Lease | undefined {
    const lease = parseLease(this.leaseText(interfaceName) ?? "", (field, value) =>
      this.#report(interfaceName, field, value),
    );
    if (lease === undefined) return undefined;
    // Of a client that died a lease may be left that has run out.
    const uptimeMs = readUptime(this.#files.readText("/proc/uptime") ?? "");
    return uptimeMs !== null && isOver(lease, uptimeMs) ? undefined : lease;
  }

  leaseText(interfaceName: string): string | undefined {
    return this.#files.readText(this.#path(interfaceName, "lease"));
  }

  setInUse(interfaceName: string, metric: number | null): void {
    const path = this.#path(interfaceName, "use");
    if (metric === null) this.#files.remove(path);
    else if (metric !== this.inUseMetric(interfaceName)) {
      this.#files.ensureDirectory(this.#directory, 0o700);
      this.#files.replaceText(path, `${metric}\n`);
    }
  }

  inUseMetric(interfaceName: string): number | null {
    const text = this.#files.readText(this.#path(interfaceName, "use"))?.trim() ?? "";
    return /^\d{1,10}$/.test(text) ? Number(text) : null;
  }

  onChange(listener: () => void): () => void {
    this.#files.ensureDirectory(this.#directory, 0o700);
    const unwatch = this.#files.watch(this.#directory, listener);
    this.#listeners.add(listener);
    return () => {
      unwatch();
      this.#listeners.delete(listener);
    };
  }

  #report(interfaceName: string, field: string, value: string): void {
    const reported = this.#reported.get(interfaceName) ?? new Set<string>();
    this.#reported.set(interfaceName, reported);
    const name = `${field}=${value}`;
    if (reported.has(name) || reported.size >= MAX_REPORTED) return;
    reported.add(name);
    this.#log?.warn("value of a DHCP server is not used", {
      interface: interfaceName,
      field,
      value,
    });
  }

  /** SIGKILL goes to its hook, too, which would otherwise go on alone. */
  #signal(interfaceName: string, signal: NodeJS.Signals): void {
    const pid = this.#pid(interfaceName);
    if (pid === undefined) return;
    for (const target of signal === "SIGKILL" ? [-pid, pid] : [pid]) {
      try {
        process.kill(target, signal);
      } catch {
        // It has ended in the meantime, or leads no group.
      }
    }
  }

  async #runHook(interfaceName: string, event: string): Promise<void> {
    const environment = { ...this.#environment(), interface: interfaceName };
    await new Promise<void>((resolve) => {
      spawnDetached(["sh", this.#hook, event], environment, resolve).catch(() => resolve());
    });
  }

  /** No locale: the checks of the hook are made for bytes. */
  #environment(): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      NODE0_DHCP_DIR: this.#directory,
    };
  }

  /** A client in the wrong group still gets leases. */
  #moveToCgroup(pid: number): void {
    if (this.#cgroup === null) return;
    try {
      this.#files.ensureDirectory(this.#cgroup, 0o755);
      this.#files.writeText(`${this.#cgroup}/cgroup.procs`, `${pid}`);
    } catch {
      // No cgroup v2, or the process has ended already.
    }
  }

  /**
   * Pids are reused, so the command line decides: a process that runs udhcpc on this interface is the
   * client, whoever started it.
   */
  #pid(interfaceName: string): number | undefined {
    const text = this.#files.readText(this.#path(interfaceName, "pid"));
    const pid = Number(text?.trim() || Number.NaN);
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    const words = this.#files.readText(`/proc/${pid}/cmdline`)?.split("\0") ?? [];
    const isClient = words.slice(0, 2).some((word) => /(^|\/)udhcpc$/.test(word));
    return isClient && words[words.indexOf("-i") + 1] === interfaceName ? pid : undefined;
  }

  #path(interfaceName: string, suffix: string): string {
    return `${this.#directory}/${interfaceName}.${suffix}`;
  }
}

/** Looks again and again. @returns false when it has not come true in time. */
async function until(isTrue: () => boolean, limitMs: number): Promise<boolean> {
  for (let waitedMs = 0; !isTrue(); waitedMs += POLL_MS) {
    if (waitedMs >= limitMs) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** Starts an applet of busybox in a session of its own. @returns its pid. */
async function spawnDetached(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  onExit: () => void,
): Promise<number> {
  const { spawn } = await import("node:child_process");
  return new Promise((resolve, reject) => {
    const child = spawn("busybox", words, { detached: true, stdio: "ignore", env, cwd: "/" });
    child.once("error", (cause) => {
      const message = `Cannot start busybox: ${cause.message}`;
      reject(new AgentError("E_DHCP_START", message, { cause }));
    });
    child.once("exit", onExit);
    child.once("spawn", () => {
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}
