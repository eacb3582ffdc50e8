const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;
const NS_DIGITS = 9;

/**
 * Time of day in UTC as RFC 3339 writes it.
 *
 * @param digits Digits behind the second, 1 to 9; RFC 5424 allows six.
 */
export function formatTime(epochNs: bigint, digits: number): string {
  const second = new Date(Number(epochNs / NS_PER_MS)).toISOString().slice(0, -".000Z".length);
  const fraction = String(epochNs % NS_PER_SECOND).padStart(NS_DIGITS, "0");
  return `${second}.${fraction.slice(0, digits)}Z`;
}
