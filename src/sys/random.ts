import { closeSync, openSync, readSync } from "node:fs";

/** Random bytes of the kernel, without loading `node:crypto`. */
export function readRandom(bytes: number): Uint8Array {
  const random = new Uint8Array(bytes);
  const descriptor = openSync("/dev/urandom", "r");
  try {
    // So few bytes always come at once. Source: random(4), "reads of up to 256 bytes".
    readSync(descriptor, random);
  } finally {
    closeSync(descriptor);
  }
  return random;
}
