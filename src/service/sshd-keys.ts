/** What a file of host keys says before its secret part begins. */
const MAGIC = "openssh-key-v1\0";
const HEAD = "-----BEGIN OPENSSH PRIVATE KEY-----";

/**
 * Public half of a private key file, out of its beginning. The secret half of a short key is in there too:
 * no string is made of it, and what was decoded is overwritten.
 *
 * @param start The first 1024 bytes of the file or more.
 * @returns The key as it goes over the wire; undefined for another format.
 * Source: PROTOCOL.key of OpenSSH: magic, cipher, kdf, kdf options, number of keys, public key; texts and
 * keys with their length before them in 4 bytes, most significant first.
 */
export function readPublicKey(start: Uint8Array): Buffer | undefined {
  const head = Buffer.from(HEAD);
  if (!head.equals(start.subarray(0, head.length))) return undefined;
  const bytes = decodeBase64(start.subarray(head.length));
  try {
    if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
    let at = MAGIC.length;
    for (let texts = 0; texts < 3; texts += 1) at += 4 + bytes.readUInt32BE(at);
    // After the number of keys, which is 1.
    const length = bytes.readUInt32BE(at + 4);
    const key = Buffer.from(bytes.subarray(at + 8, at + 8 + length));
    return key.length === length && length > 0 ? key : undefined;
  } catch {
    return undefined; // The file is cut off.
  } finally {
    bytes.fill(0);
  }
}

/** Passes over everything that is no digit, and ends at the padding or at the line after the key. */
function decodeBase64(text: Uint8Array): Buffer {
  const bytes = Buffer.alloc(Math.ceil((text.length * 3) / 4));
  let used = 0;
  let bits = 0;
  let value = 0;
  for (const character of text) {
    if (character === PADDING || character === MINUS) break;
    const digit = DIGITS.indexOf(character);
    if (digit < 0) continue;
    value = ((value << 6) | digit) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[used] = value >> bits;
    used += 1;
  }
  return bytes.subarray(0, used);
}

const DIGITS = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const PADDING = 0x3d;
const MINUS = 0x2d;

/** As `ssh-keygen -l` writes it: `SHA256:` and base64 without padding. */
export async function fingerprintOf(publicKey: Uint8Array): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256").update(publicKey).digest("base64");
  return `SHA256:${hash.replace(/=+$/, "")}`;
}

/** Kinds from the one shown first on; a file of another kind is not a host key. */
const KINDS = ["ed25519", "ecdsa", "rsa"];

/** Names of host keys in a directory, the one that is shown first. */
export function hostKeyNames(names: readonly string[]): string[] {
  return KINDS.map((kind) => `ssh_host_${kind}_key`).filter((name) => names.includes(name));
}
