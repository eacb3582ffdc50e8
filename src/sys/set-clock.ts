import { AgentError } from "../base/errors.ts";

/** What {@link ensureClockNotBefore} did. `byMs` is how far the clock went. */
export type ClockOutcome =
  | { readonly isSet: false }
  | { readonly isSet: true; readonly byMs: number };

export interface ClockParts {
  readonly nowMs: () => number;
  /** @throws AgentError `E_CLOCK`. */
  readonly setWallMs: (wallMs: number) => Promise<void>;
}

/**
 * Moves a system clock that is older than the software to the time the software was made: before that
 * no certificate this machine will meet can be checked. A clock that may be right is never touched.
 *
 * @param builtAtMs Milliseconds since the epoch.
 * @throws AgentError `E_CLOCK` when the kernel refuses.
 */
export async function ensureClockNotBefore(
  builtAtMs: number,
  { nowMs, setWallMs }: ClockParts = LINUX_CLOCK,
): Promise<ClockOutcome> {
  const byMs = builtAtMs - nowMs();
  if (byMs <= 0) return { isSet: false };
  await setWallMs(builtAtMs);
  return { isSet: true, byMs };
}

const CLOCK_REALTIME = 0;
const MS_PER_SECOND = 1000;
const NS_PER_MS = 1_000_000;

const LINUX_CLOCK: ClockParts = { nowMs: () => Date.now(), setWallMs: setWallClock };

/**
 * Sets the clock, whatever it shows.
 *
 * @param wallMs Milliseconds since the epoch.
 * @throws AgentError `E_CLOCK` when the kernel refuses.
 * Source: clock_settime(2); both members of its timespec have 64 bits on every supported processor.
 */
export async function setWallClock(wallMs: number): Promise<void> {
  const { default: koffi } = await import("koffi");
  const setTime = koffi.load("libc.so.6").func("int clock_settime(int clock, void *time)");
  const seconds = Math.floor(wallMs / MS_PER_SECOND);
  const nanoseconds = Math.floor((wallMs - seconds * MS_PER_SECOND) * NS_PER_MS);
  const time = BigInt64Array.of(BigInt(seconds), BigInt(nanoseconds));
  if (setTime(CLOCK_REALTIME, time) === 0) return;
  const wanted = new Date(wallMs).toISOString();
  throw new AgentError("E_CLOCK", `Cannot set the clock to ${wanted}: error ${koffi.errno()}`);
}
