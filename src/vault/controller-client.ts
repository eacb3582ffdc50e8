import type { Clock } from "../base/clock.ts";
import { AgentError, errorCode, errorText } from "../base/errors.ts";
import type { ControllerConfig } from "../config/network-types.ts";
import type { Files } from "../sys/files.ts";
import {
  type ClientIdentity,
  type ControllerReply,
  type ControllerRequest,
  JSON_LIMITS,
  type RequestLimits,
  requestController,
  type SessionUse,
} from "./controller-request.ts";

/**
 * A session is taken up for this long at most after certificates were exchanged: from time to time
 * both sides show that they still have the key of theirs.
 */
const SESSION_LIMIT_MS = 3_600_000;

export interface ControllerClientOptions {
  /** Those of net.toml as it is in force. */
  readonly controllers: () => readonly ControllerConfig[];
  /** Where they are asked instead of the hosts of their URLs: with a fallback address. */
  readonly address: () => string | undefined;
  readonly files: Pick<Files, "readText">;
  readonly clock: Clock;
}

export interface Ask<T> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object | undefined;
  readonly identity?: ClientIdentity | undefined;
  /** Default {@link JSON_LIMITS}. */
  readonly limits?: RequestLimits;
  readonly signal: AbortSignal;
  /**
   * Checks the answer. What it throws as AgentError `E_CONTROLLER` or `E_CONTROLLER_IDENTITY` counts as
   * "no answer that can be used", and the next controller is asked.
   */
  readonly read: (reply: ControllerReply) => T;
}

export interface Asked<T> {
  /** Of the controller that answered. */
  readonly url: string;
  readonly answer: T;
}

/** Asks the controllers of the node, the one that answered last first. */
export class ControllerClient {
  readonly #options: ControllerClientOptions;
  readonly #sessions: TlsSessions;
  #last = "";

  constructor(options: ControllerClientOptions) {
    this.#options = options;
    this.#sessions = new TlsSessions(options.clock);
  }

  /**
   * @throws AgentError `E_CONTROLLER` with the reason of each controller; `E_CONTROLLER_IDENTITY` when
   *   every one of them refused the client certificate. The reason of the signal when aborted.
   */
  async ask<T>({ read, body, limits = JSON_LIMITS, ...rest }: Ask<T>): Promise<Asked<T>> {
    const { files, clock, address } = this.#options;
    const failures: { readonly text: string; readonly isIdentity: boolean }[] = [];
    for (const controller of this.#inOrder()) {
      try {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const request = { ...rest, controller, address: address(), body: text, limits };
        const answer = read(await this.#request({ ...request, files, clock }));
        this.#last = controller.url;
        return { url: controller.url, answer };
      } catch (error) {
        rest.signal.throwIfAborted();
        const code = errorCode(error);
        if (code !== "E_CONTROLLER" && code !== "E_CONTROLLER_IDENTITY") throw error;
        const isIdentity = code === "E_CONTROLLER_IDENTITY";
        failures.push({ text: `${controller.url}: ${errorText(error)}`, isIdentity });
      }
    }
    if (failures.length === 0) throw new AgentError("E_CONTROLLER", "no controller is configured");
    const isIdentity = failures.every((one) => one.isIdentity);
    const code = isIdentity ? "E_CONTROLLER_IDENTITY" : "E_CONTROLLER";
    throw new AgentError(code, failures.map(({ text }) => text).join(", "));
  }

  /** A session that is refused says nothing about the certificate: asked again, with that. */
  async #request(request: ControllerRequest): Promise<ControllerReply> {
    const { controller, identity, files } = request;
    if (identity === undefined) return await requestController(request);
    const ca = files.readText(controller.ca) ?? "";
    const use = this.#sessions.use({ url: controller.url, ca, certificate: identity.certificate });
    const reply = await requestController({ ...request, session: use });
    if (!reply.isResumed || (reply.status !== 401 && reply.status !== 403)) return reply;
    this.#sessions.forget(controller.url);
    return await requestController(request);
  }

  #inOrder(): ControllerConfig[] {
    const all = this.#options.controllers();
    const isLast = ({ url }: ControllerConfig): boolean => url === this.#last;
    return [...all.filter(isLast), ...all.filter((one) => !isLast(one))];
  }
}

/** What a session stands for: it must not outlive a change of these. */
interface SessionParties {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** PEM. */
  readonly certificate: Buffer;
}

interface HeldSession extends SessionParties {
  readonly session: Buffer;
  /** Monotonic: when certificates were exchanged. */
  readonly sinceMs: number;
}

/**
 * The last TLS session with each controller, taken up by each connection until it is too old or refused:
 * a controller need not give a new one for every connection.
 */
class TlsSessions {
  readonly #held = new Map<string, HeldSession>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  use(parties: SessionParties): SessionUse {
    const { url, ca, certificate } = parties;
    const nowMs = this.#clock.monotonicMs();
    const last = this.#held.get(url);
    const isGood =
      last !== undefined &&
      last.ca === ca &&
      last.certificate.equals(certificate) &&
      nowMs - last.sinceMs < SESSION_LIMIT_MS;
    if (!isGood) this.forget(url);
    return {
      held: isGood ? last.session : undefined,
      keep: (session, isResumed) => {
        this.forget(url);
        const sinceMs = isResumed && isGood ? last.sinceMs : nowMs;
        const own = { ...parties, certificate: Buffer.from(certificate) };
        this.#held.set(url, { ...own, session, sinceMs });
      },
    };
  }

  forget(url: string): void {
    // Whoever has a session is the machine, as with its key.
    this.#held.get(url)?.session.fill(0);
    this.#held.delete(url);
  }
}
