import type { Clock } from "../base/clock.ts";
import { SecretDigest } from "../base/secret-bytes.ts";
import type { Bytes } from "../resp/bytes.ts";
import { readRandom } from "../sys/random.ts";
import { networkOf } from "./network-of.ts";
import { isUnrestricted, type KnownUser, NODE_USER, type SessionUser } from "./users.ts";

/** When a network is locked out. */
export interface Lockout {
  /** Failures after which it is; 0 never. */
  readonly failures: number;
  readonly timeMs: number;
}

interface Failures {
  readonly count: number;
  readonly lastMs: number;
  /** No password is looked at before. */
  readonly lockedUntilMs: number;
}

/**
 * The password check, and the memory of who failed it. Every failure of one network makes the answer
 * to its next failure slower, up to a cap; many of them lock it out for a while, and so does each one
 * after that. A success of an administrator clears all this, and so do ten quiet minutes. (That of
 * another user does not: whoever has a small password could go on guessing a large one.)
 *
 * Only salted digests of passwords are kept: nothing that looks into the process finds them.
 */
export class Authenticator {
  readonly #clock: Clock;
  readonly #lockout: Lockout;
  #password: SecretDigest | null;
  #users: readonly KnownUser[] = [];
  readonly #failures = new Map<string, Failures>();

  /** @param password For the caller to wipe. Null: there is none, and nobody can present it. */
  constructor(password: Uint8Array | null, clock: Clock, lockout: Lockout = NO_LOCKOUT) {
    this.#clock = clock;
    this.#lockout = lockout;
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

  /** Users beside the one with the password of the node, from now on. */
  setUsers(users: readonly KnownUser[]): void {
    this.#users = users;
  }

  /** Whether anybody can get in. */
  get hasPassword(): boolean {
    return this.#password !== null || this.#users.length > 0;
  }

  /**
   * Takes a time that depends on the candidate's length and the number of users, not on what it shares with
   * a password.
   *
   * @param name Null or `default`: whoever has this password, the user of the node first.
   */
  find(name: Uint8Array | null, candidate: Uint8Array): SessionUser | undefined {
    if (candidate.length > MAX_PASSWORD_BYTES) return undefined;
    let found: SessionUser | undefined;
    // Clients that were given a password alone name that user (wire protocol 2.2).
    const isAnybody = isNamed(NODE_USER, name);
    if (this.#password?.matches(candidate) === true && isAnybody) found = NODE_USER;
    for (const user of this.#users) {
      if (user.digest.matches(candidate) && (isAnybody || isNamed(user, name))) found ??= user;
    }
    return found;
  }

  /** @returns Milliseconds until passwords of this network are looked at again. */
  lockedMs(address: string): number {
    const { lockedUntilMs = 0 } = this.#failures.get(networkOf(address)) ?? {};
    return Math.max(0, lockedUntilMs - this.#clock.monotonicMs());
  }

  /** @returns How long the answer to this failure has to wait, and the failures so far. */
  recordFailure(address: string): { delayMs: number; count: number; isLocked: boolean } {
    const network = networkOf(address);
    const nowMs = this.#clock.monotonicMs();
    const before = this.#failures.get(network);
    const isOld = before === undefined || nowMs - before.lastMs > FORGET_MS;
    const count = (isOld ? 0 : before.count) + 1;
    const { failures, timeMs } = this.#lockout;
    const isLocked = failures > 0 && count >= failures;
    // Taken out first so that the map stays in the order of the last failure.
    this.#failures.delete(network);
    const lockedUntilMs = isLocked ? nowMs + timeMs : 0;
    this.#failures.set(network, { count, lastMs: nowMs, lockedUntilMs });
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MAX_NETWORKS) break;
      this.#failures.delete(oldest);
    }
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - 1));
    return { delayMs, count, isLocked };
  }

  recordSuccess(address: string, user: SessionUser): void {
    if (isUnrestricted(user)) this.#failures.delete(networkOf(address));
  }
}

function isNamed(user: SessionUser, name: Uint8Array | null): boolean {
  return name === null || Buffer.from(user.name).equals(name);
}

/** Whether the words behind this name of a command must never become strings. */
export function carriesPassword(name: Bytes): boolean {
  // Looked at for every request: the first letter spares nearly all of them the rest.
  const first = name.charCodeAt(0) | 0x20;
  return (first === LETTER_A || first === LETTER_H) && /^(?:auth|hello)$/i.test(name);
}

const LETTER_A = 0x61;
const LETTER_H = 0x68;
const NO_LOCKOUT: Lockout = { failures: 0, timeMs: 0 };
/** No password is longer; what is longer costs no time. */
const MAX_PASSWORD_BYTES = 1024;
const SALT_BYTES = 32;

const digestOf = (password: Uint8Array | null): SecretDigest | null =>
  password === null ? null : new SecretDigest(password, readRandom(SALT_BYTES));

const FIRST_DELAY_MS = 100;
/** Below the five seconds after which common clients give up: they shall see the reason. */
export const MAX_DELAY_MS = 2000;
const FORGET_MS = 600_000;
const MAX_NETWORKS = 4096;
