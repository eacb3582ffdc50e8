/** Numbers below a bound, the same ones for the same seed. */
export type Random = (below: number) => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    // xorshift: small, and good enough to choose mutations.
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Breaks a valid request in one to four ways. */
export function mutate(random: Random, frame: string, corpus: readonly string[]): string {
  let bytes = frame;
  for (let times = 1 + random(4); times > 0; times -= 1) {
    bytes = pick(random, MUTATIONS)(random, bytes, corpus);
  }
  return bytes.slice(0, MAX_BYTES);
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)] as T;
}

const MAX_BYTES = 64 * 1024;

/** What a length may be replaced with. */
const NUMBERS = [
  "-1",
  "-2",
  "0",
  "00",
  "1",
  "10",
  "11",
  "16384",
  "16385",
  "65536",
  "65537",
  "67108864",
  "67108865",
  "2147483647",
  "2147483648",
  "4294967295",
  "9999999999",
  "99999999999999999999",
  "-9223372036854775808",
  "1e9",
  "0x10",
  " 1",
  "+1",
  "",
];

type Mutation = (random: Random, bytes: string, corpus: readonly string[]) => string;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(random, bytes) {
    const at = random(bytes.length);
    const code = bytes.charCodeAt(at) ^ (1 << random(8));
    return `${bytes.slice(0, at)}${String.fromCharCode(code & 255)}${bytes.slice(at + 1)}`;
  },
  function truncate(random, bytes) {
    return bytes.slice(0, random(bytes.length + 1));
  },
  function cutOut(random, bytes) {
    const at = random(bytes.length);
    return bytes.slice(0, at) + bytes.slice(at + 1 + random(8));
  },
  function splice(random, bytes, corpus) {
    const other = pick(random, corpus);
    return bytes.slice(0, random(bytes.length + 1)) + other.slice(random(other.length));
  },
  function repeatPart(random, bytes) {
    const at = random(bytes.length);
    const part = bytes.slice(at, at + 1 + random(32));
    return bytes.slice(0, at) + part.repeat(1 + random(50)) + bytes.slice(at);
  },
  function changeNumber(random, bytes) {
    const numbers = [...bytes.matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const { 0: digits, index } = pick(random, numbers);
    return bytes.slice(0, index) + pick(random, NUMBERS) + bytes.slice(index + digits.length);
  },
  function nest(random, bytes) {
    return pick(random, ["*1\r\n", "*2\r\n", "%1\r\n", "~1\r\n"]).repeat(1 + random(500)) + bytes;
  },
  function insertBytes(random, bytes) {
    const at = random(bytes.length + 1);
    const noise = Array.from({ length: 1 + random(20) }, () => String.fromCharCode(random(256)));
    return bytes.slice(0, at) + noise.join("") + bytes.slice(at);
  },
  function breakLineEnd(random, bytes) {
    return bytes.replaceAll("\r\n", () => pick(random, ["\r\n", "\r\n", "\r\n", "\n", "\r", ""]));
  },
];
