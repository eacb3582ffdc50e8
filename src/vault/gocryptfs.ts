import { truncateSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import { sleep } from "../sequencer/wait.ts";
import type { ProcessName, ServiceHost } from "../service/host.ts";
import { formatServiceRecord, parseServiceRecord } from "../service/service-record.ts";
import { SERVICES_DIRECTORY } from "../service/supervised-service.ts";
import type { Files } from "../sys/files.ts";
import { readMounts } from "../sys/mounts.ts";
import { restrictMount } from "../sys/restrict-mount.ts";
import { gocryptfsReason } from "./gocryptfs-reasons.ts";
import { type InputProcess, startWithInput } from "./start-with-input.ts";

export interface GocryptfsOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: Pick<
    ServiceHost,
    "find" | "startTicks" | "bootId" | "terminate" | "killAll" | "env"
  >;
  readonly mountpoint: string;
  /** Directory with one cgroup for each service; null: no cgroups. */
  readonly cgroups: string | null;
  /** Default `/run/node0/services`. */
  readonly directory?: string;
}

const NAME = "gocryptfs";
const TYPE = "fuse.gocryptfs";
/** The key derivation of a file system made with the costliest setting takes seconds when emulated. */
const MOUNT_LIMIT_MS = 60_000;
const MOUNT_LOOK_MS = 10;
const STOP_LOOK_MS = 20;
const STOP_LIMIT_MS = 3000;
const UMOUNT_LIMIT_MS = 5000;

/**
 * One read-only mount of gocryptfs that outlives the agent. Its process is no supervised service: one
 * that died cannot be started again without the key, which nobody has kept.
 */
export class Gocryptfs {
  readonly #options: GocryptfsOptions;
  readonly #recordFile: string;
  readonly #outputFile: string;

  constructor(options: GocryptfsOptions) {
    this.#options = options;
    const { directory = SERVICES_DIRECTORY } = options;
    this.#recordFile = `${directory}/${NAME}.json`;
    this.#outputFile = `${directory}/${NAME}.log`;
  }

  /** Directory with the ciphertext that is mounted and served, perhaps since an earlier agent. */
  mounted(): string | undefined {
    const mount = this.#mount();
    return mount?.type === TYPE && this.#process() !== undefined ? mount.source : undefined;
  }

  /**
   * @param key Passphrase; wiped before this returns, whatever happens.
   * @throws AgentError `E_VAULT_KEY` when the key does not fit, `E_VAULT_CIPHERTEXT` when the file system
   *   cannot be read, `E_VAULT_MOUNT` for the rest. The reason of the signal when aborted.
   */
  async mount(ciphertext: string, key: Buffer, signal: AbortSignal): Promise<void> {
    try {
      await this.#start(ciphertext, key, signal);
    } finally {
      key.fill(0);
    }
  }

  /** Nothing is mounted afterwards, and nothing runs. @throws AgentError `E_VAULT_MOUNT`. */
  async unmount(): Promise<void> {
    const { host, files, mountpoint } = this.#options;
    const process = this.#process();
    if (process !== undefined) {
      host.terminate(process.pid);
      await this.#gone(process);
      host.killAll(process, this.#cgroup);
    }
    files.remove(this.#recordFile);
    // One that was killed leaves a mount behind that answers "not connected" for ever.
    while (this.#mount()?.type === TYPE) await this.#detach(mountpoint);
  }

  async #start(ciphertext: string, input: Buffer, signal: AbortSignal): Promise<void> {
    const { host, files, mountpoint, directory = SERVICES_DIRECTORY } = this.#options;
    const path = host.find(NAME);
    if (path === undefined) throw failure("E_VAULT_MOUNT", `${NAME} is not installed`);
    if (!files.exists(`${ciphertext}/gocryptfs.conf`)) {
      const message = "the ciphertext is not complete: it has no gocryptfs.conf";
      throw failure("E_VAULT_CIPHERTEXT", message);
    }
    files.ensureDirectory(directory, 0o700);
    files.ensureDirectory(mountpoint, 0o700);
    this.#emptyOutput();
    const started = await startWithInput(files, {
      path,
      // Read-only: what would be written goes into memory and is lost with the next boot.
      args: ["-fg", "-q", "-nosyslog", "-ro", ciphertext, mountpoint],
      // A few small files, read seldom: handing work from one processor to another takes longer than the work.
      env: { PATH: host.env("PATH") ?? "", GOMAXPROCS: "1" },
      input,
      outputFile: this.#outputFile,
    });
    this.#enterCgroup(started.pid);
    try {
      await this.#appears(started, ciphertext, signal);
      await restrictMount(mountpoint);
    } catch (error) {
      host.killAll(started, this.#cgroup);
      await this.unmount();
      throw error;
    }
    this.#remember(started);
  }

  async #appears(started: InputProcess, ciphertext: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + MOUNT_LIMIT_MS;
    let end: { readonly code: number | null } | undefined;
    void started.ended.then((code) => {
      end = { code };
    });
    while (this.#mount()?.source !== ciphertext) {
      if (end !== undefined) throw gocryptfsReason(end.code, this.#lastLine());
      if (clock.monotonicMs() >= endMs) {
        throw failure("E_VAULT_MOUNT", `${NAME} did not mount within ${MOUNT_LIMIT_MS / 1000} s`);
      }
      await sleep(clock, MOUNT_LOOK_MS, signal);
    }
  }

  #mount(): { readonly type: string; readonly source: string } | undefined {
    const { files, mountpoint } = this.#options;
    return readMounts(files).findLast((mount) => mount.mountpoint === mountpoint);
  }

  #process(): ProcessName | undefined {
    const { files, host } = this.#options;
    const record = parseServiceRecord(files.readText(this.#recordFile) ?? "");
    if (record === undefined || record.bootId !== host.bootId()) return undefined;
    return host.startTicks(record.pid) === record.startTicks ? record : undefined;
  }

  async #gone(process: ProcessName): Promise<void> {
    const { host, clock } = this.#options;
    const endMs = clock.monotonicMs() + STOP_LIMIT_MS;
    const { signal } = new AbortController();
    while (host.startTicks(process.pid) === process.startTicks && clock.monotonicMs() < endMs) {
      await sleep(clock, STOP_LOOK_MS, signal);
    }
  }

  async #detach(mountpoint: string): Promise<void> {
    const { execFile } = await import("node:child_process");
    await new Promise<void>((resolve, reject) => {
      execFile("umount", ["-l", mountpoint], { timeout: UMOUNT_LIMIT_MS }, (cause) => {
        if (cause === null) resolve();
        else reject(failure("E_VAULT_MOUNT", `cannot unmount ${mountpoint}: ${errorText(cause)}`));
      });
    });
  }

  get #cgroup(): string | null {
    const { cgroups } = this.#options;
    return cgroups === null ? null : `${cgroups}/${NAME}`;
  }

  /** A daemon in the wrong group still does its work. */
  #enterCgroup(pid: number): void {
    const { files, log } = this.#options;
    const cgroup = this.#cgroup;
    if (cgroup === null) return;
    try {
      files.ensureDirectory(cgroup, 0o755);
      files.writeText(`${cgroup}/cgroup.procs`, `${pid}`);
    } catch (error) {
      log.warn("gocryptfs runs without a cgroup", { cause: errorText(error) });
    }
  }

  /** A mount without a record works; only the next agent would not know its process. */
  #remember({ pid, startTicks }: ProcessName): void {
    const { files, host, log } = this.#options;
    try {
      const record = formatServiceRecord({ pid, startTicks, bootId: host.bootId() });
      files.replaceText(this.#recordFile, record);
    } catch (error) {
      log.error("record of gocryptfs not written", { cause: errorText(error) });
    }
  }

  #emptyOutput(): void {
    try {
      truncateSync(this.#outputFile);
    } catch {
      // It is not there yet.
    }
  }

  #lastLine(): string {
    const lines = (this.#options.files.readText(this.#outputFile) ?? "").trim().split("\n");
    return lines.at(-1) ?? "";
  }
}

const failure = (code: string, message: string): AgentError => new AgentError(code, message);
