import { sha256 } from "./sha256.ts";

/**
 * Secrets are bytes and never strings, because strings cannot be overwritten. Whoever has such bytes for
 * the last time overwrites them.
 */
export function wipe(secrets: Iterable<Uint8Array>): void {
  for (const bytes of secrets) bytes.fill(0);
}

/** Memory for a secret, outside of V8's heap: there the collector moves small arrays and leaves copies. */
export const secretBytes = (length: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(new ArrayBuffer(length));

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** First line of a file, a part of `content`: wiping that wipes both. Empty when there is none. */
export function firstLine(content: Uint8Array): Uint8Array {
  const newline = content.indexOf(NEWLINE);
  const end = newline < 0 ? content.length : newline;
  const isDos = end > 0 && content[end - 1] === CARRIAGE_RETURN;
  return content.subarray(0, isDos ? end - 1 : end);
}

/** Recognises a secret and cannot tell it. */
export class SecretDigest {
  readonly #salt: Uint8Array;
  readonly #digest: Uint8Array;

  /** @param salt Random; not kept apart from the digest, so it only hinders tables made before. */
  constructor(secret: Uint8Array, salt: Uint8Array) {
    this.#salt = salt;
    this.#digest = digestOf(secret, salt);
  }

  /** Takes a time that depends on the candidate's length alone. */
  matches(candidate: Uint8Array): boolean {
    const digest = digestOf(candidate, this.#salt);
    let difference = 0;
    for (const [index, byte] of this.#digest.entries()) difference |= byte ^ (digest[index] ?? 0);
    return difference === 0;
  }
}

function digestOf(secret: Uint8Array, salt: Uint8Array): Uint8Array {
  const bytes = secretBytes(salt.length + secret.length);
  bytes.set(salt);
  bytes.set(secret, salt.length);
  const digest = sha256(bytes);
  bytes.fill(0);
  return digest;
}
