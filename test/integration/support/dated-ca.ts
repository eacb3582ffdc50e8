import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

const CURVE = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const SERVER = "1.3.6.1.5.5.7.3.1";
const CLIENT = "1.3.6.1.5.5.7.3.2";

/** Texts in PEM. */
export interface DatedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface DatedIssue {
  readonly use: "server" | "client";
  /** Common name; of a server its host name or address too. */
  readonly name: string;
  readonly from?: Date;
  readonly to?: Date;
}

/** An authority whose certificates have any dates; its own are 2000 to 2200. */
export interface DatedCa {
  readonly certificate: string;
  issue(issue: DatedIssue): Promise<DatedCertificate>;
}

export async function makeDatedCa(name = "dated authority"): Promise<DatedCa> {
  const keys = await makeKeys();
  const subject = `CN=${name}`;
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    name: subject,
    keys,
    notBefore: new Date("2000-01-01"),
    notAfter: new Date("2200-01-01"),
    signingAlgorithm: CURVE,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  let serial = 1;
  return {
    certificate: own.toString("pem"),
    issue: async ({ use, name: common, from, to }) => {
      const made = await makeKeys();
      serial += 1;
      const alternative = { type: isIP(common) === 0 ? "dns" : "ip", value: common } as const;
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serial.toString(16).padStart(4, "0"),
        subject: `CN=${common}`,
        issuer: subject,
        publicKey: made.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: CURVE,
        notBefore: from ?? new Date("2020-01-01"),
        notAfter: to ?? new Date("2120-01-01"),
        extensions: [
          new x509.BasicConstraintsExtension(false),
          new x509.ExtendedKeyUsageExtension([use === "server" ? SERVER : CLIENT]),
          new x509.SubjectAlternativeNameExtension([alternative]),
        ],
      });
      const pkcs8 = await crypto.subtle.exportKey("pkcs8", made.privateKey);
      const key = x509.PemConverter.encode(pkcs8, "PRIVATE KEY");
      return { certificate: certificate.toString("pem"), key };
    },
  };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(CURVE, true, [
    "sign",
    "verify",
  ]) as Promise<webcrypto.CryptoKeyPair>;
}
