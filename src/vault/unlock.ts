import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { PhaseContext } from "../sequencer/phase.ts";
import { sleep } from "../sequencer/wait.ts";
import type { Files } from "../sys/files.ts";
import { type Ciphertext, findCiphertext, isCiphertext } from "./ciphertext.ts";
import { readUnlock, type UnlockOutcome } from "./controller-answers.ts";
import { type UnlockRequest, VAULT } from "./controller-api.ts";
import type { ControllerClient } from "./controller-client.ts";
import type { Gocryptfs } from "./gocryptfs.ts";
import type { NodeClock } from "./node-clock.ts";
import { Prefetch } from "./prefetch.ts";
import { verifyPrivate } from "./verify-private.ts";

export interface UnlockOptions {
  readonly client: Pick<ControllerClient, "ask">;
  readonly vault: Pick<Gocryptfs, "mounted" | "mount" | "unmount">;
  readonly facts: () => UnlockRequest;
  readonly nodeClock: Pick<NodeClock, "adjust">;
  readonly files: Pick<Files, "exists">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default those of {@link VAULT}. */
  readonly directories?: {
    readonly baked: string;
    readonly fetched: string;
    readonly mountpoint: string;
  };
}

type Approved = Extract<UnlockOutcome, { state: "approved" }>;

/** A key that was given, and by whom. */
interface Asked {
  readonly outcome: Approved;
  readonly url: string;
}

/** While an operator has to do something: the machine goes on within 5 s after that. */
const POLL_MS = 2500;
/** Between two looks whether the mount is still served. */
const WATCH_MS = 2000;

/**
 * The phase `unlock`: asks for the key of the private configuration, and mounts it. The mount belongs to the
 * machine, not to the agent: the next agent finds it and asks nobody.
 */
export class Unlock {
  readonly #options: UnlockOptions;
  readonly #directories: NonNullable<UnlockOptions["directories"]>;
  readonly #prefetch: Prefetch;
  #lost: ((reason: string) => void) | undefined;
  #isAgainDue = Promise.withResolvers<void>();
  /** What {@link renew} got, for the next attempt of the phase. */
  #asked: Asked | undefined;

  constructor(options: UnlockOptions) {
    this.#options = options;
    this.#directories = options.directories ?? VAULT;
    this.#prefetch = new Prefetch({ ...options, directories: this.#directories });
  }

  /** @throws AgentError with the reason in plain words; nothing is mounted then. */
  async bringUp(context: PhaseContext): Promise<string> {
    const { vault, log } = this.#options;
    const { mountpoint } = this.#directories;
    this.#isAgainDue = Promise.withResolvers();
    if (vault.mounted() !== undefined) return `${mountpoint} is mounted since before`;
    await vault.unmount();
    const { outcome, url } = this.#takeAsked() ?? (await this.#ask(context));
    try {
      const { origin, directory } = await this.#cipher(outcome, context.signal);
      context.setReason(`opening ${directory}`);
      await vault.mount(directory, outcome.key, context.signal);
      const entries = await this.#verify(context);
      const { node, revision } = outcome;
      log.info("private configuration is mounted", { node, revision, origin, entries });
      const which = revision === 0 ? "" : `, revision ${revision}`;
      return `${mountpoint}: ${entries} files ${origin}${which}, key by ${url} for ${node}`;
    } finally {
      outcome.key.fill(0);
    }
  }

  /** Resolves when another attempt is worth while. */
  async changed(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([this.#isAgainDue.promise, aborted]);
    signal.throwIfAborted();
  }

  watch(lost: (reason: string) => void, signal: AbortSignal): void {
    const { clock, vault } = this.#options;
    this.#lost = lost;
    const look = (): void => {
      if (signal.aborted || this.#lost !== lost) return;
      if (vault.mounted() === undefined) this.#report("gocryptfs ended, or somebody unmounted it");
      else cancel = clock.after(WATCH_MS, look);
    };
    let cancel = clock.after(WATCH_MS, look);
    signal.addEventListener("abort", () => cancel(), { once: true });
  }

  /** What is mounted is of no use: unmounts it, and the phase runs again. */
  async again(reason: string): Promise<void> {
    const { vault, log } = this.#options;
    try {
      await vault.unmount();
    } catch (error) {
      log.error("private configuration cannot be unmounted", { cause: errorText(error) });
    }
    this.#report(reason);
    this.#isAgainDue.resolve();
  }

  /**
   * Asks whether there is another revision. It is fetched while the one in use stays mounted; then the
   * phase begins anew and mounts it.
   *
   * @returns False: the newest is mounted already.
   * @throws AgentError with the reason; what is mounted stays so.
   */
  async renew(signal: AbortSignal): Promise<boolean> {
    const { vault, log } = this.#options;
    const mounted = vault.mounted();
    if (mounted === undefined) throw new AgentError("E_UNLOCK", "nothing is mounted at the moment");
    const { answer: outcome, url } = await this.#askOnce(signal);
    if (outcome.state !== "approved") {
      const text = `${url} does not give the key: ${outcome.reason || outcome.state}`;
      throw new AgentError("E_UNLOCK", text);
    }
    const { sha256, key, revision } = outcome;
    if (sha256 === "" || isCiphertext(mounted, sha256, log)) {
      key.fill(0);
      return false;
    }
    try {
      await this.#cipher(outcome, signal);
    } catch (error) {
      key.fill(0);
      throw error;
    }
    this.#takeAsked()?.outcome.key.fill(0);
    this.#asked = { outcome, url };
    await this.again(`revision ${revision} takes the place of the one that is mounted`);
    return true;
  }

  #takeAsked(): Asked | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    return asked;
  }

  #report(reason: string): void {
    const lost = this.#lost;
    this.#lost = undefined;
    lost?.(reason);
  }

  async #ask(context: PhaseContext): Promise<Asked> {
    try {
      return await this.#askUntilApproved(context);
    } catch (error) {
      this.#prefetch.stop();
      throw error;
    }
  }

  async #askUntilApproved(context: PhaseContext): Promise<Asked> {
    const { nodeClock, clock } = this.#options;
    const { signal } = context;
    for (;;) {
      const asking = this.#askOnce(signal);
      this.#prefetch.begin(this.#mac(), signal);
      const { answer: outcome, url } = await asking;
      if (outcome.state !== "throttled") await nodeClock.adjust(outcome.nowMs);
      if (outcome.state === "approved") return { outcome, url };
      const waitMs = this.#waitFor(outcome, url, context);
      await sleep(clock, waitMs, signal);
    }
  }

  async #askOnce(signal: AbortSignal): Promise<{ answer: UnlockOutcome; url: string }> {
    const { client, facts } = this.#options;
    const body = facts();
    if (body.macs.length === 0) {
      throw new AgentError("E_UNLOCK", "no physical interface, so nothing to be known by");
    }
    const path = "/v1/unlock";
    return client.ask({ method: "POST", path, body, signal, read: readUnlock });
  }

  /** One the node is known by; empty for none. */
  #mac(): string {
    return this.#options.facts().macs[0] ?? "";
  }

  /** @returns How long to wait before the next question. @throws AgentError for a refusal. */
  #waitFor(outcome: Exclude<UnlockOutcome, Approved>, url: string, context: PhaseContext): number {
    switch (outcome.state) {
      case "pending":
        context.progress();
        context.setReason(`waiting for an operator to approve ${outcome.node} at ${url}`);
        return POLL_MS;
      case "withheld":
        context.progress();
        context.setReason(`${url} holds the key of ${outcome.node} back: ${outcome.reason}`);
        return POLL_MS;
      case "throttled":
        context.setReason(`${url} wants fewer requests: next one in ${outcome.retryAfterS} s`);
        return outcome.retryAfterS * 1000;
      case "rejected":
      case "revoked": {
        const note = outcome.reason === "" ? "" : `: ${outcome.reason}`;
        const message = `${outcome.node} was ${outcome.state} by ${url}${note}`;
        throw new AgentError("E_UNLOCK", message);
      }
    }
  }

  async #cipher({ sha256 }: Approved, signal: AbortSignal): Promise<Ciphertext> {
    const { client, files, log } = this.#options;
    const mac = this.#mac();
    const directories = this.#directories;
    const unpacked = await this.#prefetch.ended();
    return findCiphertext({ client, files, log, directories, sha256, mac, signal, unpacked });
  }

  async #verify({ signal }: PhaseContext): Promise<number> {
    const { mountpoint } = this.#directories;
    try {
      return await verifyPrivate(mountpoint, signal);
    } catch (error) {
      await this.#options.vault.unmount();
      throw error;
    }
  }
}
