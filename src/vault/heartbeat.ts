import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import { sleep } from "../sequencer/wait.ts";
import { readHeartbeat } from "./controller-answers.ts";
import type { HeartbeatRequest } from "./controller-api.ts";
import type { ControllerClient } from "./controller-client.ts";
import type { PrivateFiles } from "./private-files.ts";

export interface HeartbeatOptions {
  readonly client: Pick<ControllerClient, "ask">;
  readonly identity: Pick<PrivateFiles, "readIdentity">;
  readonly body: () => HeartbeatRequest;
  readonly clock: Clock;
  readonly log: Logger;
  /** A number in [0, 1) for each delay. Default `Math.random`. */
  readonly random?: () => number;
}

const DEFAULT_MS = 30_000;
const SHORTEST_MS = 1000;
const LONGEST_MS = 3_600_000;
/** Share of the delay that is random, so that machines that booted together do not ask together. */
const JITTER = 0.2;

/** Tells the controller how the machine is, for ever. Whatever goes wrong with that changes nothing else. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #control: AbortController | undefined;
  /** Why the last one failed; empty after a success. */
  #trouble = "";

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** May be repeated. */
  start(): void {
    if (this.#control !== undefined) return;
    const control = new AbortController();
    this.#control = control;
    this.#run(control.signal).catch((error: unknown) => {
      if (!control.signal.aborted) {
        this.#options.log.error("heartbeats ended", { cause: errorText(error) });
      }
    });
  }

  stop(): void {
    this.#control?.abort(new AgentError("E_STOPPED", "heartbeats are stopped"));
    this.#control = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random = Math.random } = this.#options;
    for (;;) {
      const nextMs = await this.#beat(signal);
      await sleep(clock, Math.round(nextMs * (1 - JITTER * random())), signal);
    }
  }

  /** @returns Delay until the next one. */
  async #beat(signal: AbortSignal): Promise<number> {
    try {
      const nextMs = await this.#send(signal);
      if (this.#trouble !== "") this.#options.log.info("controller takes heartbeats again");
      this.#trouble = "";
      return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, nextMs));
    } catch (error) {
      signal.throwIfAborted();
      const cause = errorText(error);
      // Once for each time it is lost, not every half minute.
      if (this.#trouble === "") this.#options.log.warn("heartbeat failed", { cause });
      this.#trouble = cause;
      return DEFAULT_MS;
    }
  }

  async #send(signal: AbortSignal): Promise<number> {
    const { client, identity: files, body } = this.#options;
    const identity = await files.readIdentity();
    if (identity === undefined) throw new AgentError("E_VAULT_FILE", "no client certificate");
    try {
      const path = "/v1/heartbeat";
      const ask = { path, identity, signal, body: body(), read: readHeartbeat };
      return (await client.ask({ method: "POST", ...ask })).answer.nextMs;
    } finally {
      identity.key.fill(0);
    }
  }
}
