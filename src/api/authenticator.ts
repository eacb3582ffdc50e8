import type { Clock } from "../base/clock.ts";
import { type Bytes, bytesOfText } from "../resp/bytes.ts";
import { networkOf } from "./network-of.ts";

/**
 * The password check, and the memory of who failed it. Every failure of one network makes the answer
 * to its next failure slower, up to a cap; a success clears it, and so do ten quiet minutes.
 */
export class Authenticator {
  readonly #clock: Clock;
  #password: Bytes | null;
  readonly #failures = new Map<string, { count: number; lastMs: number }>();

  /** @param password Null: there is none, and nobody can present it. */
  constructor(password: string | null, clock: Clock) {
    this.#clock = clock;
    this.#password = password === null ? null : bytesOfText(password);
  }

  /**
   * Takes the place of the one before at once and for every candidate that comes from now on. Who has
   * authenticated stays so: the one who changes the password is often connected with the old one.
   *
   * @param password Null: nobody can present one any more.
   */
  setPassword(password: string | null): void {
    this.#password = password === null ? null : bytesOfText(password);
  }

  get hasPassword(): boolean {
    return this.#password !== null;
  }

  /** Takes a time that depends on the candidate's length alone, not on what it shares with the password. */
  accepts(user: Bytes, candidate: Bytes): boolean {
    if (this.#password === null) return false;
    const isEqual = isSameInConstantTime(candidate, this.#password);
    return isEqual && user === "default";
  }

  /** @returns How long the answer to this failure has to wait, and the failures so far. */
  recordFailure(address: string): { delayMs: number; count: number } {
    const network = networkOf(address);
    const nowMs = this.#clock.monotonicMs();
    const before = this.#failures.get(network);
    const isOld = before === undefined || nowMs - before.lastMs > FORGET_MS;
    const count = (isOld ? 0 : before.count) + 1;
    // Taken out first so that the map stays in the order of the last failure.
    this.#failures.delete(network);
    this.#failures.set(network, { count, lastMs: nowMs });
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MAX_NETWORKS) break;
      this.#failures.delete(oldest);
    }
    return { delayMs: Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - 1)), count };
  }

  recordSuccess(address: string): void {
    this.#failures.delete(networkOf(address));
  }
}

/**
 * Not `timingSafeEqual`: loading node:crypto would be a quarter of the agent's start (figures in
 * `docs/decisions.md`), and the first thing every client does is to authenticate.
 */
function isSameInConstantTime(candidate: Bytes, secret: Bytes): boolean {
  let difference = candidate.length ^ secret.length;
  for (let at = 0; at < candidate.length; at += 1) {
    difference |= candidate.charCodeAt(at) ^ secret.charCodeAt(at % secret.length);
  }
  return difference === 0;
}

const FIRST_DELAY_MS = 100;
/** Below the five seconds after which common clients give up: they shall see the reason. */
const MAX_DELAY_MS = 2000;
const FORGET_MS = 600_000;
const MAX_NETWORKS = 4096;
