import { AgentError, errorCode, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { PhaseContext } from "../sequencer/phase.ts";
import { readSession } from "./controller-answers.ts";
import type { ControllerClient } from "./controller-client.ts";
import type { NodeClock } from "./node-clock.ts";
import type { PrivateFiles } from "./private-files.ts";

export interface SessionOptions {
  readonly client: Pick<ControllerClient, "ask">;
  readonly identity: Pick<PrivateFiles, "readIdentity">;
  readonly nodeClock: Pick<NodeClock, "adjust">;
  readonly log: Logger;
  /** The certificate is refused for good: another private configuration is needed. */
  readonly onRefused: (reason: string) => Promise<void>;
  /** Called after each success: from now on heartbeats are worth while. */
  readonly onReached?: () => void;
}

/** So many definite refusals in a row, and the private configuration is asked for again. */
const REFUSALS = 3;

/**
 * The phase `controller-tls`: the controller knows this machine by the client certificate of its private
 * configuration. Losing the controller later is no loss of the phase: nothing depends on it.
 */
export class Session {
  readonly #options: SessionOptions;
  #refusals = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** @throws AgentError `E_CONTROLLER` | `E_CONTROLLER_IDENTITY` | `E_VAULT_FILE`. */
  async bringUp({ signal }: PhaseContext): Promise<string> {
    const { nodeClock, onReached } = this.#options;
    try {
      const { url, answer } = await this.#ask(signal);
      this.#refusals = 0;
      await nodeClock.adjust(answer.nowMs);
      onReached?.();
      return `${url} knows this machine as ${answer.node}`;
    } catch (error) {
      signal.throwIfAborted();
      await this.#count(error);
      throw error;
    }
  }

  /** Nothing tells that another attempt may end otherwise; the delay between attempts is all. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((_, reject) => {
      const onAbort = (): void => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  watch(): void {
    // Heartbeats tell about the controller; a machine that lost it goes on as it is.
  }

  async #ask(signal: AbortSignal) {
    const identity = await this.#options.identity.readIdentity();
    if (identity === undefined) {
      const message = "the private configuration has no client certificate";
      throw new AgentError("E_CONTROLLER_IDENTITY", message);
    }
    try {
      const path = "/v1/session";
      const { client } = this.#options;
      return await client.ask({ method: "GET", path, identity, signal, read: readSession });
    } finally {
      identity.key.fill(0);
    }
  }

  async #count(error: unknown): Promise<void> {
    const { log, onRefused } = this.#options;
    if (errorCode(error) !== "E_CONTROLLER_IDENTITY") {
      this.#refusals = 0;
      return;
    }
    this.#refusals += 1;
    log.warn("client certificate refused", { times: this.#refusals, cause: errorText(error) });
    if (this.#refusals < REFUSALS) return;
    this.#refusals = 0;
    await onRefused(`its client certificate is refused: ${errorText(error)}`);
  }
}
