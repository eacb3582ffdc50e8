import { spawn } from "node:child_process";
import { AgentError } from "../base/errors.ts";
import type { Files } from "../sys/files.ts";
import type { DhcpClients } from "./dhcp-clients.ts";
import { type Lease, parseLease } from "./lease.ts";

export interface UdhcpcOptions {
  readonly files: Files;
  /** Where pid and lease files are. Default `/run/node0/dhcp`. */
  readonly directory?: string;
  /** Default `/usr/lib/node0/udhcpc-hook`. */
  readonly hook?: string;
  /** Cgroup directory the clients are moved to; null leaves them where the agent is. */
  readonly cgroup: string | null;
}

export const DHCP_DIRECTORY = "/run/node0/dhcp";
export const UDHCPC_HOOK = "/usr/lib/node0/udhcpc-hook";

/**
 * Busybox udhcpc as DHCP client. The clients do not belong to the agent: they keep the lease while it
 * restarts, and the next agent finds them by their pid file.
 */
export class Udhcpc implements DhcpClients {
  readonly #files: Files;
  readonly #directory: string;
  readonly #hook: string;
  readonly #cgroup: string | null;

  constructor(options: UdhcpcOptions) {
    this.#files = options.files;
    this.#directory = options.directory ?? DHCP_DIRECTORY;
    this.#hook = options.hook ?? UDHCPC_HOOK;
    this.#cgroup = options.cgroup;
  }

  isRunning(interfaceName: string): boolean {
    return this.#pid(interfaceName) !== undefined;
  }

  async start(interfaceName: string): Promise<void> {
    this.#files.ensureDirectory(this.#directory, 0o700);
    const pid = await spawnDetached("busybox", this.#arguments(interfaceName), {
      PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      NODE0_DHCP_DIR: this.#directory,
    });
    this.#files.writeText(this.#pidFile(interfaceName), `${pid}\n`);
    this.#moveToCgroup(pid);
  }

  renew(interfaceName: string): void {
    const pid = this.#pid(interfaceName);
    if (pid === undefined) return;
    try {
      process.kill(pid, "SIGUSR1");
    } catch {
      // It ended between the two lines; the next look at it starts a new one.
    }
  }

  async stop(interfaceName: string): Promise<void> {
    const pid = this.#pid(interfaceName);
    if (pid !== undefined) process.kill(pid, "SIGTERM");
  }

  lease(interfaceName: string): Lease | undefined {
    return parseLease(this.leaseText(interfaceName) ?? "");
  }

  setInUse(interfaceName: string, metric: number | null): void {
    const file = `${this.#directory}/${interfaceName}.use`;
    if (metric === null) this.#files.remove(file);
    else this.#files.writeText(file, `${metric}\n`);
  }

  inUseMetric(interfaceName: string): number | null {
    const text = this.#files.readText(`${this.#directory}/${interfaceName}.use`);
    return text === undefined ? null : Number(text);
  }

  leaseText(interfaceName: string): string | undefined {
    return this.#files.readText(`${this.#directory}/${interfaceName}.lease`);
  }

  onChange(listener: () => void): () => void {
    this.#files.ensureDirectory(this.#directory, 0o700);
    return this.#files.watch(this.#directory, listener);
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
   * Eight questions one second apart, four seconds of rest, and again without end: quick when the
   * first packets of a link are lost, quiet on a network without a server.
   */
  #arguments(interfaceName: string): string[] {
    const pidFile = this.#pidFile(interfaceName);
    const timing = ["-t", "8", "-T", "1", "-A", "4"];
    return ["udhcpc", "-f", "-i", interfaceName, "-p", pidFile, "-s", this.#hook, ...timing];
  }

  /**
   * Pids are reused, so the command line decides: a process that runs udhcpc on this interface is the
   * client, whoever started it.
   */
  #pid(interfaceName: string): number | undefined {
    const text = this.#files.readText(this.#pidFile(interfaceName));
    const pid = Number(text?.trim() || Number.NaN);
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    const words = this.#files.readText(`/proc/${pid}/cmdline`)?.split("\0") ?? [];
    const isClient = words.slice(0, 2).some((word) => /(^|\/)udhcpc$/.test(word));
    return isClient && words[words.indexOf("-i") + 1] === interfaceName ? pid : undefined;
  }

  #pidFile(interfaceName: string): string {
    return `${this.#directory}/${interfaceName}.pid`;
  }
}

function spawnDetached(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { detached: true, stdio: "ignore", env, cwd: "/" });
    child.once("error", (cause) => {
      reject(
        new AgentError("E_DHCP_START", `Cannot start ${program}: ${cause.message}`, { cause }),
      );
    });
    child.once("spawn", () => {
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}
