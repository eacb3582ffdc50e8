import { AgentError } from "../base/errors.ts";
import { ownCommand } from "../job/own-command.ts";
import type { CommandObject, JobResult, OwnJobs } from "../job/types.ts";
import {
  buildDnsmasqConfig,
  dnsmasqArguments,
  dnsmasqPaths,
  findDnsmasqUser,
} from "../network/bridge-dnsmasq.ts";
import type { BridgeRecord } from "../network/bridge-records.ts";
import type { Files } from "../sys/files.ts";

/** It is ready after some milliseconds; on a busy node it takes longer until it runs at all. */
const READY_MS = 10_000;
/** What it says when its ports are open and root is given up. */
const READY = /\bstarted, version /;

/** The name servers of bridges: one protected job `dnsmasq-<bridge>` each. */
export class BridgeServices {
  readonly #ownJobs: OwnJobs;
  readonly #files: Files;
  readonly #stateDir: string;
  readonly #drops = new Map<string, () => Promise<void>>();

  constructor(options: { ownJobs: OwnJobs; files: Files; stateDir: string }) {
    this.#ownJobs = options.ownJobs;
    this.#files = options.files;
    this.#stateDir = options.stateDir;
  }

  isRunning(bridge: string): boolean {
    return this.#drops.has(bridge);
  }

  /**
   * Starts it in place of one that runs.
   *
   * @param wait Resolve only when it is ready, and drop it when it does not get so.
   * @throws AgentError `E_BRIDGE_SERVICE` with what it said.
   */
  async start(record: BridgeRecord, { wait }: { readonly wait: boolean }): Promise<void> {
    const { name } = record;
    await this.stop(name);
    const { config } = dnsmasqPaths(this.#stateDir, name);
    this.#files.ensureDirectory(`${this.#stateDir}/bridges`, 0o700);
    this.#files.replaceText(config, buildDnsmasqConfig(record, findDnsmasqUser(this.#files)));
    const begun = Promise.withResolvers<string | undefined>();
    const spec = {
      name: "dnsmasq",
      args: dnsmasqArguments(this.#stateDir, name),
      dir: "/",
      env: { LC_ALL: "C" },
      stdin: "",
      showPid: true,
    };
    const drop = this.#ownJobs.startProgram(commandOf(name), spec, {
      isProtected: true,
      onMessage: ({ text }) => {
        if (READY.test(text)) begun.resolve(undefined);
      },
      onRunEnd: (result) => begun.resolve(reasonOf(result)),
    });
    this.#drops.set(name, drop);
    if (!wait) return;
    const timer = setTimeout(
      () => begun.resolve(`it is not ready after ${READY_MS / 1000} s`),
      READY_MS,
    );
    const failure = await begun.promise;
    clearTimeout(timer);
    if (failure === undefined) return;
    await this.stop(name);
    throw new AgentError("E_BRIDGE_SERVICE", `Cannot start the name server of ${name}: ${failure}`);
  }

  /** Resolves when it has ended; none is fine. Its files stay for the next one. */
  async stop(bridge: string): Promise<void> {
    const drop = this.#drops.get(bridge);
    this.#drops.delete(bridge);
    await drop?.();
  }

  /** Takes its files away too. */
  async remove(bridge: string): Promise<void> {
    await this.stop(bridge);
    const { config, leases } = dnsmasqPaths(this.#stateDir, bridge);
    this.#files.remove(config);
    this.#files.remove(leases);
  }
}

const commandOf = (bridge: string): CommandObject => ownCommand(`dnsmasq-${bridge}`, "dnsmasq");

/** Its last line says why. */
function reasonOf({ code, critical, streams }: JobResult): string {
  const lines = `${streams?.join("\n") ?? ""}\n${critical ?? ""}`.trim().split("\n");
  return `code ${code}, ${lines.at(-1) || "no reason"} seen, expected it to run`;
}
