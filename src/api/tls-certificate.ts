import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SecureContext } from "node:tls";
import { AgentError, errorText } from "../base/errors.ts";
import { wipe } from "../base/secret-bytes.ts";
import { readAccessFile } from "./access-file.ts";
import { type CertificatePair, makeSelfSigned } from "./tls-self-signed.ts";

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Whose certificate it is. */
export type CertificateOrigin = "configured" | "private" | "own";

export interface LoadedCertificate {
  readonly origin: CertificateOrigin;
  readonly context: SecureContext;
  /** SHA-256 of the certificate, hexadecimal with colons. */
  readonly fingerprint: string;
}

export interface CertificateOptions {
  /** From the configuration; null where it names none. */
  readonly configured: CertificateFiles | null;
  /** Where a private configuration has them; they may be absent. */
  readonly privateFiles: CertificateFiles | null;
  /** Gets `endpoint.crt` and `endpoint.key`, a certificate of the node's own, once it is needed. */
  readonly stateDir: string;
}

const LIMIT_BYTES = 256 * 1024;
const NAME = "node0";

/**
 * Certificate and key of the files that were given, and of no others: who says which certificate it must be
 * does not want another.
 *
 * @returns Null where none are given.
 * @throws AgentError `E_TLS_FILE` for files that cannot be used together.
 */
export async function givenCertificate(
  options: CertificateOptions,
): Promise<LoadedCertificate | null> {
  const { configured, privateFiles } = options;
  if (configured !== null) {
    if (configured.certificate === "" || configured.key === "") {
      const named = configured.key || configured.certificate;
      throw wrong(named, "alone", "both endpoint.tls_certificate and endpoint.tls_key");
    }
    const pair = await readPair(configured);
    if (pair === null) {
      const { certificate, key } = configured;
      throw wrong(certificate, "absent, or its key is", `this file and ${key}`);
    }
    return load(pair, "configured", configured);
  }
  const pair = privateFiles === null ? null : await readPair(privateFiles);
  if (pair === null || privateFiles === null) return null;
  return load(pair, "private", privateFiles);
}

/** A certificate the node made itself, the same one for as long as its state directory lives. */
export function ownCertificate(stateDir: string): LoadedCertificate {
  const files = {
    certificate: join(stateDir, "endpoint.crt"),
    key: join(stateDir, "endpoint.key"),
  };
  try {
    const [certificate, key] = [readFileSync(files.certificate), readFileSync(files.key)];
    return load({ certificate, key }, "own", files);
  } catch {
    // Absent, or cut short when the agent was killed: it is made again.
  }
  const pair = makeSelfSigned(NAME);
  // The key first: a certificate without its key is useless.
  writeFileSync(files.key, pair.key, { mode: 0o600 });
  writeFileSync(files.certificate, pair.certificate, { mode: 0o644 });
  return load(pair, "own", files);
}

async function readPair(files: CertificateFiles): Promise<CertificatePair | null> {
  const certificate = await readAccessFile(files.certificate, LIMIT_BYTES);
  const key = await readAccessFile(files.key, LIMIT_BYTES);
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  wipe([key ?? new Uint8Array()]);
  if (certificate === undefined && key === undefined) return null;
  const missing = certificate === undefined ? files.certificate : files.key;
  throw wrong(missing, "absent", "certificate and key");
}

/** Wipes the key. */
function load(
  pair: CertificatePair,
  origin: CertificateOrigin,
  files: CertificateFiles,
): LoadedCertificate {
  const crypto = process.getBuiltinModule("node:crypto");
  const [certificate, key] = [Buffer.from(pair.certificate), pair.key as Buffer];
  try {
    const parsed = parse(files.certificate, "a certificate in PEM", () => {
      return new crypto.X509Certificate(certificate);
    });
    const privateKey = parse(files.key, "a private key in PEM without a passphrase", () => {
      return crypto.createPrivateKey(key);
    });
    if (!parsed.checkPrivateKey(privateKey)) {
      throw wrong(files.key, `not the key of ${files.certificate}`, "the one it was made for");
    }
    const context = parse(files.certificate, "a certificate a server can show", () =>
      process
        .getBuiltinModule("node:tls")
        .createSecureContext({ cert: certificate, key, minVersion: "TLSv1.2" }),
    );
    return { origin, context, fingerprint: parsed.fingerprint256 };
  } finally {
    wipe([key]);
  }
}

function parse<T>(path: string, expected: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw wrong(path, errorText(error), expected);
  }
}

function wrong(path: string, seen: string, expected: string): AgentError {
  return new AgentError("E_TLS_FILE", `Cannot use ${path}: ${seen}, expected ${expected}`);
}
