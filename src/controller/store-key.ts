import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentError, errorCode } from "../base/errors.ts";
import { DATABASE_FILE, writePrivateFile } from "./store-files.ts";

export const MASTER_KEY_VARIABLE = "NODE0_CONTROLLER_MASTER_KEY";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The key that seals unlock keys at rest: 32 bytes, written as base64 or hexadecimal. Looked for in
 * `file`, in the environment, and in `master.key` of the directory, which is made where it is missing.
 *
 * @throws AgentError `E_MASTER_KEY`
 */
export function readMasterKey(options: {
  readonly directory: string;
  readonly file?: string | undefined;
  readonly environment: string | undefined;
}): Buffer {
  const { directory, file, environment } = options;
  if (file !== undefined) return parseMasterKey(readText(file), file);
  if (environment !== undefined) return parseMasterKey(environment, MASTER_KEY_VARIABLE);
  const path = join(directory, "master.key");
  try {
    return parseMasterKey(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  if (existsSync(join(directory, DATABASE_FILE))) {
    throw new AgentError(
      "E_MASTER_KEY",
      `Cannot find the master key of ${directory}: no ${path}, expected the key it was started with before`,
    );
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const key = randomBytes(KEY_BYTES);
  writePrivateFile(path, `${key.toString("base64")}\n`);
  return key;
}

/** Seals and opens small secrets with AES-256-GCM: 12 bytes nonce, 16 bytes tag, ciphertext. */
export class Seal {
  readonly #key: Buffer;

  /** @param key 32 bytes. */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** @param context What the secret belongs to; it opens with the same one only. */
  close(secret: Uint8Array, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    cipher.setAAD(Buffer.from(context));
    const body = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]);
  }

  /** @throws AgentError `E_SEAL`: another master key, another context, or damaged. */
  open(sealed: Uint8Array, context: string): Buffer {
    try {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce);
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([
        decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)),
        decipher.final(),
      ]);
    } catch {
      throw new AgentError(
        "E_SEAL",
        `Cannot open the sealed ${context}: it does not verify, expected the master key it was sealed with`,
      );
    }
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new AgentError(
      "E_MASTER_KEY",
      `Cannot read the master key ${path}: ${errorCode(error)}, expected a file`,
    );
  }
}

function parseMasterKey(text: string, from: string): Buffer {
  const word = text.trim();
  const key = Buffer.from(word, /^[0-9a-fA-F]{64}$/.test(word) ? "hex" : "base64");
  if (key.length === KEY_BYTES && /^[\w+/=-]+$/.test(word)) return key;
  throw new AgentError(
    "E_MASTER_KEY",
    `Cannot use the master key of ${from}: wrong form, expected ${KEY_BYTES} bytes in base64 or hexadecimal`,
  );
}
