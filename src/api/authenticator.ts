import type { Clock } from "../base/clock.ts";
import { SecretDigest } from "../base/secret-bytes.ts";
import type { Bytes } from "../resp/bytes.ts";
import { readRandom } from "../sys/random.ts";
import { networkOf } from "./network-of.ts";

/**
 * The password check, and the memory of who failed it. Every failure of one network makes the answer
 * to its next failure slower, up to a cap; a success clears it, and so do ten quiet minutes.
 *
 * Only a salted digest of the password is kept: nothing that looks into the process finds it.
 */
export class Authenticator {
  readonly #clock: Clock;
  #password: SecretDigest | null;
  readonly #failures = new Map<string, { count: number; lastMs: number }>();

  /** @param password For the caller to wipe. Null: there is none, and nobody can present it. */
  constructor(password: Uint8Array | null, clock: Clock) {
    this.#clock = clock;
    this.#password = digestOf(password);
  }

  /**
   * Takes the place of the one before at once and for every candidate that comes from now on. Who has
   * authenticated stays so: the one who changes the password is often connected with the old one.
   *
   * @param password For the caller to wipe. Null: nobody can present one any more.
   * @returns Whether it is another one than before.
   */
  setPassword(password: Uint8Array | null): boolean {
    const before = this.#password;
    const isSame =
      before === null || password === null ? before === password : before.matches(password);
    if (!isSame) this.#password = digestOf(password);
    return !isSame;
  }

  get hasPassword(): boolean {
    return this.#password !== null;
  }

  /** Takes a time that depends on the candidate's length alone, not on what it shares with the password. */
  accepts(user: Uint8Array, candidate: Uint8Array): boolean {
    const isEqual = this.#password?.matches(candidate) === true;
    return isEqual && DEFAULT_USER.equals(user);
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

/** Whether the words behind this name of a command must never become strings. */
export function carriesPassword(name: Bytes): boolean {
  // Looked at for every request: the first letter spares nearly all of them the rest.
  const first = name.charCodeAt(0) | 0x20;
  return (first === LETTER_A || first === LETTER_H) && /^(?:auth|hello)$/i.test(name);
}

const LETTER_A = 0x61;
const LETTER_H = 0x68;
/** The only user there is. */
export const DEFAULT_USER = Buffer.from("default");
const SALT_BYTES = 32;

const digestOf = (password: Uint8Array | null): SecretDigest | null =>
  password === null ? null : new SecretDigest(password, readRandom(SALT_BYTES));

const FIRST_DELAY_MS = 100;
/** Below the five seconds after which common clients give up: they shall see the reason. */
const MAX_DELAY_MS = 2000;
const FORGET_MS = 600_000;
const MAX_NETWORKS = 4096;
