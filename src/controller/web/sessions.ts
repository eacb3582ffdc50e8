import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../base/clock.ts";

const IDLE_MS = 2 * 60 * 60 * 1000;
const LONGEST_MS = 12 * 60 * 60 * 1000;
const MOST = 100;

/** One login. It lives in memory: a restart of the controller ends it. */
export interface Session {
  /** Must come back with every form of this session. */
  readonly csrf: string;
  /** Told on the next page, once. */
  flash: { readonly kind: "done" | "failed"; readonly text: string } | undefined;
  readonly startMs: number;
  usedMs: number;
  /** Run when the session ends: live connections close. */
  readonly onEnd: Set<() => void>;
}

/**
 * Sessions of operators. Kept under the SHA-256 of their id, so that looking one up tells nothing
 * about the ids there are. A session ends after 2 hours without a page, and 12 hours after its login.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns The id: 32 random bytes in base64url, for the cookie. */
  start(): { readonly id: string; readonly session: Session } {
    const id = randomBytes(32).toString("base64url");
    const nowMs = this.#clock.monotonicMs();
    const session: Session = {
      csrf: randomBytes(32).toString("base64url"),
      flash: undefined,
      startMs: nowMs,
      usedMs: nowMs,
      onEnd: new Set(),
    };
    this.endOld();
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MOST && oldest !== undefined) this.#end(oldest);
    this.#sessions.set(digest(id), session);
    return { id, session };
  }

  /** The session of a cookie; undefined when it is unknown or over. */
  find(id: string): Session | undefined {
    this.endOld();
    return this.#sessions.get(digest(id));
  }

  touch(session: Session): void {
    session.usedMs = this.#clock.monotonicMs();
  }

  end(id: string): void {
    this.#end(digest(id));
  }

  endAll(): void {
    for (const key of [...this.#sessions.keys()]) this.#end(key);
  }

  /** Ends sessions that are too old or too idle. */
  endOld(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { startMs, usedMs }] of this.#sessions) {
      if (nowMs - usedMs >= IDLE_MS || nowMs - startMs >= LONGEST_MS) this.#end(key);
    }
  }

  #end(key: string): void {
    const session = this.#sessions.get(key);
    this.#sessions.delete(key);
    for (const action of session?.onEnd ?? []) action();
  }
}

/** Compares texts without telling by its duration where they differ. */
export function isSameSecret(given: string, wanted: string): boolean {
  return timingSafeEqual(sha256(given), sha256(wanted));
}

function digest(id: string): string {
  return sha256(id).toString("base64");
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
