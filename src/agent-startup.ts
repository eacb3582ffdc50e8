import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Core } from "./agent-core.ts";
import { errorText } from "./base/errors.ts";
import type { BootServices } from "./boot/sequence.ts";
import { UNLOCKED_STARTUP } from "./boot/unlocked-files.ts";
import type { PhaseContext } from "./sequencer/phase.ts";
import type { StartupPlace } from "./startup/read-texts.ts";
import type { Startup } from "./startup/startup.ts";
import type { Milestone } from "./startup/types.ts";
import { systemClock } from "./sys/clock.ts";
import { PRIVATE_FILES, VAULT } from "./vault/controller-api.ts";

export interface AgentStartupOptions {
  readonly core: Pick<Core, "addCommand" | "config" | "engine" | "log">;
  /** Main configuration file; the directory `conf.d` beside it is read too. */
  readonly configFile: string;
  readonly isHost: boolean;
  /** Copy of the `conf.d` of the private configuration. Default {@link UNLOCKED_STARTUP}. */
  readonly unlockedDirectory?: string;
}

const NO_SERVICES = "no start-up services configured";
const ALL: readonly Milestone[] = ["init", "net", "boot"];

/** Start-up services and extensions of this agent. Most nodes have none: then nothing of it is loaded. */
export class AgentStartup implements BootServices {
  readonly #options: AgentStartupOptions;
  readonly #unlocked: string;
  #startup: Startup | undefined;
  #isPrivateRead = false;
  #onProblem: (problem: string) => void = () => {};

  constructor(options: AgentStartupOptions) {
    this.#options = options;
    this.#unlocked = options.unlockedDirectory ?? UNLOCKED_STARTUP;
  }

  /**
   * Reads the configuration of the image.
   *
   * @returns What cannot be used, one sentence each.
   */
  async load(): Promise<string[]> {
    const { core, configFile } = this.#options;
    const { main, extension } = core.config;
    const beside = join(dirname(configFile), "conf.d");
    const places: StartupPlace[] = main.include.map((path) => ({ path, isRequired: true }));
    if (existsSync(beside) && !main.include.includes(beside)) {
      places.unshift({ path: beside, isRequired: false });
    }
    const own = Object.entries(extension).map(([name, given]) => ({
      ...given,
      name,
      place: configFile,
    }));
    if (places.length === 0 && own.length === 0) return [];
    const startup = await this.#open();
    const problems = [...startup.addExtensions(own), ...(await startup.load(places))];
    for (const problem of problems) core.log.warn("setting not used", { problem });
    return problems;
  }

  /** Gets what is found out later. */
  onProblem(listener: (problem: string) => void): void {
    this.#onProblem = listener;
  }

  skip(milestone: Milestone): string | undefined {
    if (this.#hasUnread(milestone) || this.#startup?.isDue(milestone)) return undefined;
    return NO_SERVICES;
  }

  async run(
    milestone: Milestone,
    context: Pick<PhaseContext, "signal" | "setReason">,
  ): Promise<string> {
    if (this.#hasUnread(milestone)) await this.#loadPrivate();
    if (!this.#startup?.isDue(milestone)) return NO_SERVICES;
    return this.#startup.run(milestone, context);
  }

  /** For a host, which has no phases. Never rejects. */
  async runAll(): Promise<void> {
    const { log } = this.#options.core;
    const context = { signal: new AbortController().signal, setReason: () => {} };
    for (const milestone of ALL) {
      if (this.skip(milestone) !== undefined) continue;
      try {
        log.info("services started", { milestone, reason: await this.run(milestone, context) });
      } catch (error) {
        log.warn("services started", { milestone, reason: errorText(error) });
      }
    }
  }

  /** The private configuration is there from `services.net` on. */
  #hasUnread(milestone: Milestone): boolean {
    const { isHost } = this.#options;
    return !isHost && !this.#isPrivateRead && milestone !== "init" && existsSync(this.#unlocked);
  }

  async #loadPrivate(): Promise<void> {
    this.#isPrivateRead = true;
    const startup = await this.#open();
    const shown = `${VAULT.mountpoint}/${PRIVATE_FILES.startupDirectory}`;
    const problems = await startup.load([{ path: this.#unlocked, shown, isRequired: false }]);
    for (const problem of problems) {
      this.#options.core.log.warn("setting not used", { problem });
      this.#onProblem(problem);
    }
  }

  async #open(): Promise<Startup> {
    if (this.#startup !== undefined) return this.#startup;
    const [{ Startup: Opened }, { extensionCommand }] = await Promise.all([
      import("./startup/startup.ts"),
      import("./api/extension-command.ts"),
    ]);
    const { core } = this.#options;
    this.#startup ??= new Opened({
      clock: systemClock,
      jobs: core.engine,
      log: core.log.child("startup"),
      values: await this.#values(),
      addExtension: (extension) => core.addCommand(extensionCommand(extension)),
    });
    return this.#startup;
  }

  /** Words of the kernel command line are stronger than globals. */
  async #values(): Promise<Map<string, string>> {
    const { core, isHost } = this.#options;
    const values = new Map(Object.entries(core.config.globals));
    if (isHost) return values;
    const { listKernelWords } = await import("./config/kernel-command-line.ts");
    const words = listKernelWords(readFileSync("/proc/cmdline", "utf8"));
    for (const [name, value] of words) values.set(name, value);
    return values;
  }
}
