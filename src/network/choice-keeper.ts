import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import type { NetworkBasis } from "./judge-network.ts";
import { formatChoice, type NetworkChoice, parseChoice } from "./network-choice.ts";
import { type NetworkView, usableRoute } from "./network-view.ts";

export const CHOICE_FILE = "/run/node0/network-choice.json";

/** Remembers what the search ended with, also for the agent after this one. */
export class ChoiceKeeper {
  readonly #files: Files;
  readonly #log: Logger;
  readonly #path: string;
  #basis: NetworkBasis | undefined;

  constructor(parts: { readonly files: Files; readonly log: Logger; readonly path: string }) {
    this.#files = parts.files;
    this.#log = parts.log;
    this.#path = parts.path;
  }

  /** What the network of this agent stands on; undefined before its first success. */
  get basis(): NetworkBasis | undefined {
    return this.#basis;
  }

  /** The last choice, perhaps that of an earlier agent. */
  known(): NetworkChoice | undefined {
    return this.#basis?.choice ?? parseChoice(this.#files.readText(this.#path));
  }

  /** @param view The network it came up with. */
  remember(choice: NetworkChoice, view: NetworkView): void {
    const route = usableRoute(view);
    const via = choice.method === "fallback" ? choice.interface : (route?.interface ?? null);
    this.#basis = { choice, via };
    const text = formatChoice(choice);
    if (this.#files.readText(this.#path) === text) return;
    try {
      this.#files.replaceText(this.#path, text);
    } catch (error) {
      this.#log.warn("choice of the network cannot be kept", { cause: errorText(error) });
    }
  }
}
