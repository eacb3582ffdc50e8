import { createPrivateKey, X509Certificate } from "node:crypto";
import { errorText } from "../../base/errors.ts";

export interface CertificateRequest {
  /** PKCS #8 PEM of an EC key on P-256. */
  readonly key: string;
  /** PKCS #10 PEM; its common name is the node. */
  readonly csr: string;
}

/** Makes the key of a client certificate, here, and the request for the certificate. */
export async function requestCertificate(node: string): Promise<CertificateRequest> {
  await import("reflect-metadata");
  const { Pkcs10CertificateRequestGenerator } = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${node}`,
    keys,
    signingAlgorithm: algorithm,
  });
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { key: key.export({ format: "pem", type: "pkcs8" }), csr: `${request.toString("pem")}\n` };
}

/** PEM texts of a private configuration. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/**
 * Checks a client certificate as the controller will.
 *
 * @returns What is wrong, in a few words each; empty: nothing.
 */
export function checkCertificate(
  { certificate, key, ca }: ClientCertificate,
  { node, nowMs }: { readonly node: string; readonly nowMs: number },
): string[] {
  let client: X509Certificate;
  let authority: X509Certificate;
  let own: ReturnType<typeof createPrivateKey>;
  try {
    [client, authority, own] = [
      new X509Certificate(certificate),
      new X509Certificate(ca),
      createPrivateKey(key),
    ];
  } catch (error) {
    return [`certificate, key or CA cannot be read (${errorText(error)})`];
  }
  const problems: string[] = [];
  if (!client.verify(authority.publicKey)) problems.push("the certificate is of another CA");
  if (!client.checkPrivateKey(own)) problems.push("the key is of another certificate");
  const name = /^CN=(.*)$/m.exec(client.subject)?.[1];
  if (name !== node) problems.push(`the certificate is for ${name ?? "nobody"}, not for ${node}`);
  for (const [what, { validFrom, validTo }] of [
    ["the certificate", client],
    ["the CA", authority],
  ] as const) {
    if (Date.parse(validTo) <= nowMs) problems.push(`${what} expired on ${validTo}`);
    if (Date.parse(validFrom) > nowMs) problems.push(`${what} is good from ${validFrom} on only`);
  }
  return problems;
}

/** Serial number of a certificate in PEM, hexadecimal. */
export function serialOf(certificate: string): string {
  return new X509Certificate(certificate).serialNumber.toLowerCase();
}
