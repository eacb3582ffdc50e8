import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";

/** Paths of PEM files. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface ThrowawayCa {
  /** Path of the certificate of the authority, PEM. */
  readonly certificate: string;
  /**
   * Issues a certificate of a server.
   *
   * @param names Host names and addresses it is good for; the first one names its files.
   */
  issue(names: readonly string[]): IssuedCertificate;
}

const DAYS = "3650";

/**
 * Makes a certificate authority for tests.
 *
 * @param directory Exists; gets `ca.crt`, `ca.key` and two files for each certificate.
 * @param name Common name of the authority.
 */
export function makeCa(directory: string, name = "node0 test authority"): ThrowawayCa {
  const ca = { certificate: join(directory, "ca.crt"), key: join(directory, "ca.key") };
  openssl([
    ...["req", "-x509", ...newKey(ca.key), "-out", ca.certificate],
    ...["-subj", `/CN=${name}`, "-days", DAYS],
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
  return {
    certificate: ca.certificate,
    issue: (names) => issue(directory, ca, names),
  };
}

function issue(
  directory: string,
  ca: IssuedCertificate,
  names: readonly string[],
): IssuedCertificate {
  const stem = join(directory, (names[0] ?? "server").replaceAll(/[^\w.-]/g, "_"));
  const issued = { certificate: `${stem}.crt`, key: `${stem}.key` };
  const alternatives = names.map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`);
  writeFileSync(
    `${stem}.ext`,
    `basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=${alternatives.join(",")}\n`,
  );
  openssl(["req", "-new", ...newKey(issued.key), "-out", `${stem}.csr`, "-subj", "/CN=controller"]);
  openssl([
    ...["x509", "-req", "-in", `${stem}.csr`, "-out", issued.certificate],
    ...["-CA", ca.certificate, "-CAkey", ca.key, "-CAcreateserial"],
    ...["-extfile", `${stem}.ext`, "-days", DAYS],
  ]);
  return issued;
}

/** Elliptic curve keys are made at once, RSA keys take up to seconds. */
function newKey(path: string): string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path];
}

function openssl(words: readonly string[]): void {
  execFileSync("openssl", words, { stdio: ["ignore", "ignore", "pipe"], timeout: 20_000 });
}
