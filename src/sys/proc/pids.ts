import { readNames } from "./read-text.ts";

/** Ids of all processes (not threads) that are visible, ascending. */
export function listPids(): number[] {
  return readNames("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}
