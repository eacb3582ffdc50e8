import type { Clock } from "../base/clock.ts";
import { AgentError, errorCode, errorText } from "../base/errors.ts";
import type { ControllerConfig } from "../config/network-types.ts";
import type { Files } from "../sys/files.ts";
import {
  type ClientIdentity,
  type ControllerReply,
  JSON_LIMITS,
  type RequestLimits,
  requestController,
} from "./controller-request.ts";

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
  #last = "";

  constructor(options: ControllerClientOptions) {
    this.#options = options;
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
        const reply = await requestController({ ...request, files, clock });
        const answer = read(reply);
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

  #inOrder(): ControllerConfig[] {
    const all = this.#options.controllers();
    const isLast = ({ url }: ControllerConfig): boolean => url === this.#last;
    return [...all.filter(isLast), ...all.filter((one) => !isLast(one))];
  }
}
