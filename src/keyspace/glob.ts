import type { Bytes } from "../resp/bytes.ts";

/**
 * Matches bytes against a Redis pattern: `*`, `?`, `[abc]`, `[a-z]`, `[^a]`, and `\` before a
 * character that stands for itself. Time is at most length of pattern times length of text.
 */
export function matchesGlob(pattern: Bytes, text: Bytes): boolean {
  let patternAt = 0;
  let textAt = 0;
  let starAt = -1;
  let starTextAt = 0;
  while (textAt < text.length) {
    if (pattern[patternAt] === "*") {
      starAt = patternAt;
      starTextAt = textAt;
      patternAt += 1;
      continue;
    }
    const next =
      patternAt < pattern.length ? matchOne(pattern, patternAt, text[textAt] as string) : -1;
    if (next >= 0) {
      patternAt = next;
      textAt += 1;
      continue;
    }
    // Only the last star needs another try: an earlier one can match nothing the last cannot.
    if (starAt < 0) return false;
    patternAt = starAt + 1;
    starTextAt += 1;
    textAt = starTextAt;
  }
  while (pattern[patternAt] === "*") patternAt += 1;
  return patternAt === pattern.length;
}

/** Where the pattern goes on behind its element at `at`, or -1 when `char` does not match it. */
function matchOne(pattern: Bytes, at: number, char: string): number {
  const element = pattern[at];
  if (element === "?") return at + 1;
  if (element === "[") return matchClass(pattern, at + 1, char);
  if (element === "\\" && at + 1 < pattern.length) {
    return pattern[at + 1] === char ? at + 2 : -1;
  }
  return element === char ? at + 1 : -1;
}

function matchClass(pattern: Bytes, start: number, char: string): number {
  let at = start;
  const isNegated = pattern[at] === "^";
  if (isNegated) at += 1;
  let isMatch = false;
  while (at < pattern.length && pattern[at] !== "]") {
    if (pattern[at] === "\\" && at + 1 < pattern.length) at += 1;
    const low = pattern[at] as string;
    if (pattern[at + 1] === "-" && at + 2 < pattern.length) {
      const high = pattern[at + 2] as string;
      if (low <= high ? char >= low && char <= high : char >= high && char <= low) isMatch = true;
      at += 3;
      continue;
    }
    if (low === char) isMatch = true;
    at += 1;
  }
  return isMatch === isNegated ? -1 : Math.min(at + 1, pattern.length);
}
