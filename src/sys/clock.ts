import type { Clock } from "../base/clock.ts";

/** The real clock: `monotonicMs` counts from kernel start (CLOCK_MONOTONIC). */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * MS_PER_SECOND + nanoseconds / NS_PER_MS;
  },
  wallNs: () => wallNs(),
  after: (delayMs, action) => {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number): void => {
      const stepMs = Math.min(restMs, LONGEST_TIMER_MS);
      const next = restMs > stepMs ? () => wait(restMs - stepMs) : action;
      timer = setTimeout(next, stepMs);
      timer.unref();
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

const MS_PER_SECOND = 1000;
const NS_PER_MS = 1_000_000;
/** Node fires timers beyond 2^31 - 1 ms at once, so long waits are made of steps. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** The system clock has moved (set after boot) when both clocks differ by more than this. */
const LARGEST_DRIFT_NS = 5_000_000n;

let offsetNs = 0n;

/** Date has milliseconds only: the fraction comes from the monotonic clock. */
function wallNs(): bigint {
  const monotonicNs = process.hrtime.bigint();
  const dateNs = BigInt(Date.now()) * BigInt(NS_PER_MS);
  const drift = dateNs - (monotonicNs + offsetNs);
  if (drift > LARGEST_DRIFT_NS || drift < -LARGEST_DRIFT_NS) offsetNs = dateNs - monotonicNs;
  return monotonicNs + offsetNs;
}
