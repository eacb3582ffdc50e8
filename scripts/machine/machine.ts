import { rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "../../src/base/errors.ts";
import type { Qmp } from "../../src/vm/qmp.ts";
import type { BootLoader } from "./boot.ts";
import { endProcess, type ProcessIdentity } from "./process-identity.ts";
import type { QemuExit } from "./qemu-process.ts";
import { waitPong } from "./redis-probe.ts";
import { readSerial, type SerialWait, waitSerial } from "./serial-log.ts";
import { waitSsh } from "./ssh-probe.ts";

const STOP_GRACE_MS = 3000;

/** Loopback ports of this host that lead to the machine. */
export interface MachinePorts {
  readonly redis: number;
  readonly ssh: number;
}

export interface MachineParts {
  readonly identity: ProcessIdentity;
  readonly qmp: Qmp;
  /** Null without a user network. */
  readonly ports: MachinePorts | null;
  readonly serialLog: string;
  readonly directory: string;
  readonly boot: BootLoader;
  readonly exit: Promise<QemuExit>;
  readonly startedAtMs: number;
}

/** A running machine. Whoever starts one calls `stop`, or declares it with `await using`. */
export class Machine implements AsyncDisposable {
  readonly #parts: MachineParts;

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  get identity(): ProcessIdentity {
    return this.#parts.identity;
  }

  /** Loopback port that reaches the machine's endpoint. */
  get port(): number {
    return this.#ports.redis;
  }

  /** Loopback port that reaches the machine's sshd. */
  get sshPort(): number {
    return this.#ports.ssh;
  }

  get serialLog(): string {
    return this.#parts.serialLog;
  }

  /** Temporary directory with the sockets; removed by `stop`. */
  get directory(): string {
    return this.#parts.directory;
  }

  /** When the processors started, on the clock of `performance.now()`. */
  get startedAtMs(): number {
    return this.#parts.startedAtMs;
  }

  /** Waits for the first authenticated PONG; returns milliseconds since the processors started. */
  async waitPong(password: string, timeoutMs: number): Promise<number> {
    await waitPong({ port: this.port, password, timeoutMs, signal: this.#ended() });
    return performance.now() - this.#parts.startedAtMs;
  }

  /** Waits for the first words of sshd; returns milliseconds since the processors started. */
  async waitSsh(timeoutMs: number): Promise<number> {
    await waitSsh(this.sshPort, { timeoutMs, signal: this.#ended() });
    return performance.now() - this.#parts.startedAtMs;
  }

  /** What the machine wrote to its serial line so far. */
  serial(): string {
    return readSerial(this.serialLog);
  }

  waitSerial(pattern: RegExp, wait: SerialWait): Promise<RegExpExecArray> {
    return waitSerial(this.serialLog, pattern, wait);
  }

  /** Types `text` on the serial line. */
  async writeSerial(text: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(join(this.directory, "serial.sock"));
      socket.once("error", reject);
      socket.end(text, resolve);
      socket.resume();
    });
  }

  /** Plugs the cable of a network card in or pulls it out. */
  async setLink(nic: number, isUp: boolean): Promise<void> {
    await this.#parts.qmp.execute("set_link", { name: `nic${nic}`, up: isUp });
  }

  /**
   * Resolves when QEMU has ended.
   *
   * @param timeoutMs Null waits as long as it takes.
   * @throws AgentError `E_MACHINE_RUNNING` when the time is over.
   */
  async waitExit(timeoutMs: number | null): Promise<QemuExit> {
    if (timeoutMs === null) return await this.#parts.exit;
    const timer = new AbortController();
    const late = sleep(timeoutMs, null, { signal: timer.signal }).catch(() => null);
    const exit = await Promise.race([this.#parts.exit, late]);
    timer.abort();
    if (exit !== null) return exit;
    throw new AgentError(
      "E_MACHINE_RUNNING",
      `Cannot wait longer: QEMU runs after ${timeoutMs} ms`,
    );
  }

  /** Ends QEMU and removes everything of the run. Safe to call twice. */
  async stop(): Promise<void> {
    await this.#parts.qmp.close();
    await endProcess(this.identity, { word: this.directory, graceMs: STOP_GRACE_MS });
    await this.#parts.exit;
    await this.#parts.boot.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #ended(): AbortSignal {
    const ended = new AbortController();
    void this.#parts.exit.then(() =>
      ended.abort(new AgentError("E_MACHINE_EXIT", "Cannot reach the machine: QEMU has ended")),
    );
    return ended.signal;
  }

  get #ports(): MachinePorts {
    if (this.#parts.ports !== null) return this.#parts.ports;
    throw new AgentError("E_MACHINE_PORT", "Cannot reach the machine: it has no network card");
  }

  /** Process that serves the boot files of a detached machine. */
  get helper(): ProcessIdentity | null {
    return this.#parts.boot.helper;
  }

  /** Lets a detached machine go on by itself; this process can end. */
  release(): Promise<void> {
    return this.#parts.qmp.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
