import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { AgentError, errorCode, errorText } from "../base/errors.ts";
import type { Authority, ServerCertificate } from "./ca.ts";

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * What the server shows: the files that were given, or a certificate of its own authority.
 *
 * @throws AgentError `E_TLS_FILE` for files that cannot be used together.
 */
export async function serverCertificate(options: {
  readonly authority: Authority;
  /** Host names and addresses beside those of this machine. */
  readonly names: readonly string[];
  readonly files: CertificateFiles | undefined;
}): Promise<ServerCertificate> {
  const { authority, names, files } = options;
  if (files === undefined) return await authority.server([...new Set([...names, ...localNames()])]);
  const [certificate, key] = [readPem(files.certificate), readPem(files.key)];
  const parsed = parse(files.certificate, "a certificate in PEM", () => {
    return new X509Certificate(certificate);
  });
  const privateKey = parse(files.key, "a private key in PEM without a passphrase", () => {
    return createPrivateKey(key);
  });
  if (parsed.checkPrivateKey(privateKey)) return { certificate, key };
  throw new AgentError(
    "E_TLS_FILE",
    `Cannot use ${files.key}: it is not the key of ${files.certificate}, expected the one that certificate was made for`,
  );
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new AgentError("E_TLS_FILE", `Cannot read ${path}: ${errorCode(error)}, expected PEM`);
  }
}

function parse<T>(path: string, expected: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new AgentError(
      "E_TLS_FILE",
      `Cannot use ${path}: ${errorText(error)}, expected ${expected}`,
    );
  }
}

/** Link-local addresses are left out: they need a zone, which certificates do not have. */
function localNames(): readonly string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.toLowerCase().startsWith("fe80"));
  const name = /^[a-z0-9.-]+$/i.test(hostname()) ? [hostname()] : [];
  return ["localhost", ...name, ...addresses];
}
