import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { PhaseContext } from "../sequencer/phase.ts";
import { orAborted, sleep } from "../sequencer/wait.ts";
import type { Files } from "../sys/files.ts";
import type { ServiceHost } from "./host.ts";
import { buildSshdConfig, parseListenAddresses, type SshdAddress } from "./sshd-config.ts";
import { fingerprintOf, hostKeyNames, readPublicKey } from "./sshd-keys.ts";
import { linuxSshdTools, SSHD_PROGRAM, type SshdTools } from "./sshd-tools.ts";
import { SupervisedService, type SupervisorParts } from "./supervised-service.ts";

export interface SshServiceOptions extends Pick<SupervisorParts, "cgroups" | "directory"> {
  readonly host: ServiceHost;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where sshd is to listen at first; {@link SshService.setListen} changes it. */
  readonly listen: readonly SshdAddress[];
  /** Keys and settings, for example `/mnt/etc/ssh`. */
  readonly settings: string;
  /** Whether there is a private configuration at all. */
  readonly isUnlocked: () => boolean;
  readonly tools?: SshdTools;
}

/** What sshd is given, and what it made of it. */
interface Prepared {
  readonly config: string;
  readonly addresses: readonly SshdAddress[];
  /** Of the host key that is shown; undefined for a format of old. */
  readonly fingerprint: string | undefined;
}

export const SSH_DIRECTORY = "/run/node0/ssh";
const CONFIG_FILE = `${SSH_DIRECTORY}/sshd_config`;
const OWN_FILE = `${SSH_DIRECTORY}/own_sshd_config`;
/** Empty and root's alone: where sshd locks in the process that talks to strangers. */
const EMPTY_DIRECTORY = "/run/sshd";
const OWN_LIMIT_BYTES = 64 * 1024;
const READY_LIMIT_MS = 30_000;
const READY_LOOK_MS = 200;
/** How long further addresses are waited for once one answers. */
const OTHERS_LIMIT_MS = 2000;

/**
 * The phase `ssh`: OpenSSH with keys and settings of the private configuration, root by key alone. A dead
 * sshd is started again; its sessions do not need it and live on, as they do when the agent ends.
 */
export class SshService {
  readonly #options: SshServiceOptions;
  readonly #tools: SshdTools;
  readonly #service: SupervisedService;
  #listen: readonly SshdAddress[];
  #prepared: Prepared | undefined;
  #change = Promise.withResolvers<void>();
  #problem = "";

  constructor(options: SshServiceOptions) {
    this.#options = options;
    this.#tools = options.tools ?? linuxSshdTools;
    this.#listen = options.listen;
    this.#service = new SupervisedService(
      {
        name: "sshd",
        programs: [SSHD_PROGRAM],
        args: ["-D", "-e", "-f", CONFIG_FILE],
        // For programs a session runs without a profile.
        passEnv: [],
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
        killsLeftovers: false,
        prepare: async () => {
          this.#prepared = await this.#prepare();
        },
      },
      options,
    );
    this.#service.onChange(() => this.#announce());
  }

  /** Why there is nothing to start; undefined: there is. */
  skip(): string | undefined {
    return this.#options.isUnlocked() ? undefined : "no keys without an unlocked configuration";
  }

  /** What is not used of the own settings, one sentence; empty: everything is. */
  get problem(): string {
    return this.#problem;
  }

  /**
   * Starts sshd, or takes over the one that runs, and waits until it answers.
   *
   * @returns For example `root by key on 10.0.2.15:22, host key SHA256:…`.
   * @throws AgentError `E_SSH_KEYS` | `E_SSH_FILES` | `E_SSHD_CONFIG` | `E_SSHD`.
   */
  async bringUp(context: PhaseContext): Promise<string> {
    const before = this.#options.files.readText(CONFIG_FILE);
    const prepared = await this.#prepare();
    this.#prepared = prepared;
    this.#service.start();
    if (before !== undefined && before !== prepared.config && this.#service.status().pid !== null) {
      await this.#service.restart("keys, settings or addresses changed");
    }
    const silent = (await this.#ready(context)).map(format);
    // A start in between has read everything again.
    const { addresses, fingerprint = "of an old format" } = this.#prepared ?? prepared;
    const reached = addresses.map(format).filter((address) => !silent.includes(address));
    const others = silent.length === 0 ? "" : `; not on ${silent.join(", ")}`;
    const problem = this.#problem === "" ? "" : `; ${this.#problem}`;
    return `root by key on ${reached.join(", ")}, host key ${fingerprint}${others}${problem}`;
  }

  /** Resolves when the state of sshd or its addresses changed. */
  changed(signal: AbortSignal): Promise<void> {
    return orAborted(this.#change.promise, signal);
  }

  watch(lost: (reason: string) => void, signal: AbortSignal): void {
    const stop = this.#service.onChange(({ state, reason }) => {
      if (state !== "running") lost(`sshd: ${reason}`);
    });
    signal.addEventListener("abort", stop, { once: true });
  }

  /** From now on sshd listens there. Sessions go on, also those over an address that is left. */
  async setListen(listen: readonly SshdAddress[]): Promise<void> {
    const isSame = listen.map(format).join() === this.#listen.map(format).join();
    this.#listen = listen;
    if (isSame || this.#prepared === undefined) return;
    await this.#service.restart("listens on other addresses");
    this.#announce();
  }

  /** Reads keys and settings again; sshd is started again when they are others. */
  async reload(): Promise<void> {
    const before = this.#prepared;
    if (before === undefined) return;
    this.#prepared = await this.#prepare();
    if (this.#prepared.config !== before.config) await this.#service.restart("settings changed");
  }

  /** Takes no new connection any more; sessions go on. */
  stop(): Promise<void> {
    return this.#service.stop();
  }

  /** The agent ends; sshd goes on. */
  release(): void {
    this.#service.release();
  }

  /** Writes what sshd reads; checked by sshd itself, because it runs as root for the whole network. */
  async #prepare(): Promise<Prepared> {
    const { files, settings } = this.#options;
    files.ensureDirectory(EMPTY_DIRECTORY, 0o755);
    files.ensureDirectory(SSH_DIRECTORY, 0o700);
    const names = await this.#tools.list(settings);
    const keys = await this.#readKeys(names);
    if (!names.includes("authorized_keys")) throw missing(`${settings}/authorized_keys`);
    const ownText = await this.#readOwn(names);
    const plan = { ...keys, listen: this.#listen, authorizedKeys: `${settings}/authorized_keys` };
    const own = ownText === null ? null : { path: OWN_FILE, text: ownText };
    const withOwn = own === null ? undefined : await this.#tryConfig({ ...plan, own });
    if (withOwn?.isGood) {
      this.#problem = "";
      return this.#keep(withOwn, keys);
    }
    this.#tell(withOwn === undefined ? "" : `${settings}/sshd_config not used: ${withOwn.text}`);
    const plain = await this.#tryConfig({ ...plan, own: null });
    if (plain.isGood) return this.#keep(plain, keys);
    throw new AgentError("E_SSHD_CONFIG", `Cannot configure sshd: ${plain.text}`);
  }

  #keep({ config, text }: Tried, { fingerprints }: Keys): Prepared {
    this.#options.files.replaceText(CONFIG_FILE, config);
    return { config, addresses: parseListenAddresses(text), fingerprint: fingerprints[0] };
  }

  async #tryConfig(plan: Parameters<typeof buildSshdConfig>[0]): Promise<Tried> {
    const { files } = this.#options;
    const config = buildSshdConfig(plan);
    const candidate = `${CONFIG_FILE}.candidate`;
    if (plan.own !== null) files.replaceText(plan.own.path, plan.own.text);
    files.replaceText(candidate, config);
    const { isGood, text } = await this.#tools.check(candidate);
    files.remove(candidate);
    return {
      config,
      isGood,
      text: isGood ? text : oneLine(text.replaceAll(candidate, CONFIG_FILE)),
    };
  }

  async #readKeys(names: readonly string[]): Promise<Keys> {
    const { settings } = this.#options;
    const found = hostKeyNames(names);
    if (found.length === 0) throw missing(`${settings}/ssh_host_ed25519_key`);
    const hostKeys = found.map((name) => `${settings}/${name}`);
    const fingerprints: string[] = [];
    for (const path of hostKeys) {
      const start = await this.#tools.readStart(path, KEY_START_BYTES);
      const key = readPublicKey(start);
      start.fill(0);
      if (key !== undefined) fingerprints.push(await fingerprintOf(key));
    }
    return { hostKeys, fingerprints };
  }

  /** A copy is what is checked and used: the file itself may change in between. */
  async #readOwn(names: readonly string[]): Promise<string | null> {
    if (!names.includes("sshd_config")) return null;
    const path = `${this.#options.settings}/sshd_config`;
    return (await this.#tools.readStart(path, OWN_LIMIT_BYTES)).toString("utf8");
  }

  /** @returns Addresses nobody answers at; at least one other does. */
  async #ready(context: PhaseContext): Promise<SshdAddress[]> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + READY_LIMIT_MS;
    let othersMs: number | undefined;
    for (;;) {
      const { state, reason } = this.#service.status();
      context.setReason(state === "running" ? `${reason}; waiting for its answer` : reason);
      const silent = state === "running" ? await this.#silent() : [];
      const { addresses = [] } = this.#prepared ?? {};
      if (state === "running" && silent.length < addresses.length) {
        // It opens one after the other.
        othersMs ??= clock.monotonicMs() + OTHERS_LIMIT_MS;
        if (silent.length === 0 || clock.monotonicMs() >= othersMs) return silent;
      }
      if (clock.monotonicMs() >= endMs) {
        throw new AgentError("E_SSHD", `Cannot reach sshd on ${addresses.map(format)}: ${reason}`);
      }
      await sleep(clock, READY_LOOK_MS, context.signal);
    }
  }

  async #silent(): Promise<SshdAddress[]> {
    const { addresses = [] } = this.#prepared ?? {};
    const answers = await Promise.all(
      addresses.map((address) => this.#tools.readBanner(address).catch(errorText)),
    );
    return addresses.filter((_address, index) => !answers[index]?.startsWith("SSH-2.0-"));
  }

  #tell(problem: string): void {
    if (problem !== "" && problem !== this.#problem) {
      this.#options.log.warn("sshd settings not used", { problem });
    }
    this.#problem = problem;
  }

  #announce(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }
}

interface Keys {
  readonly hostKeys: readonly string[];
  readonly fingerprints: readonly string[];
}

interface Tried {
  readonly config: string;
  readonly isGood: boolean;
  readonly text: string;
}

const KEY_START_BYTES = 1024;

const format = ({ host, port }: SshdAddress): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

const oneLine = (text: string): string =>
  text
    .trim()
    .split(/\s*\r?\n\s*/)
    .join("; ")
    .slice(0, 400);

function missing(path: string): AgentError {
  return new AgentError("E_SSH_KEYS", `Cannot start sshd: ${path} is absent, expected a file`);
}
