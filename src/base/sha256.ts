/**
 * SHA-256 of a short message, for secrets: what depends on it is overwritten before this returns. Without
 * `node:crypto`, whose loading is a quarter of the agent's own start (figures in `docs/decisions.md`).
 *
 * Source: FIPS 180-4, sections 4.1.2, 4.2.2, 5 and 6.2.
 */
export function sha256(message: Uint8Array): Uint8Array {
  const blocks = Math.floor((message.length + LENGTH_BYTES) / BLOCK_BYTES) + 1;
  const view = new DataView(new ArrayBuffer(blocks * BLOCK_BYTES));
  // V8 keeps arrays of up to 64 bytes in its heap. Asking such a one for its buffer leaves a copy there.
  const bytes = new Uint8Array(view.buffer);
  bytes.set(message);
  bytes[message.length] = 0x80;
  view.setBigUint64(bytes.length - LENGTH_BYTES, BigInt(message.length) * 8n);
  const state = INITIAL_STATE.slice();
  const schedule = new Uint32Array(ROUNDS);
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) compress(state, schedule, view, at);
  const digest = new Uint8Array(DIGEST_BYTES);
  const digestView = new DataView(digest.buffer);
  for (const [index, word] of state.entries()) digestView.setUint32(index * 4, word);
  for (const used of [bytes, schedule, state]) used.fill(0);
  return digest;
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Of the message's length at the end of the last block. */
const LENGTH_BYTES = 8;
const ROUNDS = 64;

function compress(state: Uint32Array, schedule: Uint32Array, view: DataView, start: number): void {
  for (let t = 0; t < 16; t += 1) schedule[t] = view.getUint32(start + t * 4);
  for (let t = 16; t < ROUNDS; t += 1) {
    const early = schedule[t - 15] as number;
    const late = schedule[t - 2] as number;
    const sigma0 = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
    const sigma1 = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    schedule[t] = sigma1 + (schedule[t - 7] as number) + sigma0 + (schedule[t - 16] as number);
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as Words;
  for (let t = 0; t < ROUNDS; t += 1) {
    const sum1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const choice = (e & f) ^ (~e & g);
    const first = (h + sum1 + choice + (CONSTANTS[t] as number) + (schedule[t] as number)) | 0;
    const sum0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + sum0 + majority) | 0;
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) {
    state[index] = (state[index] as number) + word;
  }
}

type Words = [number, number, number, number, number, number, number, number];

/** Rotated right within 32 bits. */
const turn = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** The first 32 bits of the fractions of the roots of the first primes, as the standard defines them. */
const fractions = (count: number, root: (prime: number) => number): Uint32Array =>
  Uint32Array.from(primes(count), (prime) => (root(prime) % 1) * 2 ** 32);

function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate += 1) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

const INITIAL_STATE = fractions(8, Math.sqrt);
const CONSTANTS = fractions(ROUNDS, Math.cbrt);
