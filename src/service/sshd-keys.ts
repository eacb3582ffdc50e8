/** What a file of host keys says before its secret part begins. */
const MAGIC = "openssh-key-v1\0";
const HEAD = "-----BEGIN OPENSSH PRIVATE KEY-----";

/**
 * Public half of a private key file, out of its beginning: no secret is read.
 *
 * @param start The first 1024 bytes of the file or more.
 * @returns The key as it goes over the wire; undefined for another format.
 * Source: PROTOCOL.key of OpenSSH: magic, cipher, kdf, kdf options, number of keys, public key; texts and
 * keys with their length before them in 4 bytes, most significant first.
 */
export function readPublicKey(start: string): Buffer | undefined {
  if (!start.startsWith(HEAD)) return undefined;
  const bytes = Buffer.from(start.slice(HEAD.length).replaceAll(/\s/g, ""), "base64");
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
  try {
    let at = MAGIC.length;
    for (let texts = 0; texts < 3; texts += 1) at += 4 + bytes.readUInt32BE(at);
    // After the number of keys, which is 1.
    const length = bytes.readUInt32BE(at + 4);
    const key = bytes.subarray(at + 8, at + 8 + length);
    return key.length === length && length > 0 ? key : undefined;
  } catch {
    return undefined; // The file is cut off.
  }
}

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
