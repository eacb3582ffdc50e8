import { randomBytes, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { AgentError, errorText } from "../base/errors.ts";
import { normalSerial } from "./store-certificates.ts";
import { writePrivateFile } from "./store-files.ts";

const DAY_MS = 86_400_000;
const CA_DAYS = 20 * 365;
const SERVER_DAYS = 2 * 365;
const CURVE = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * All certificates are good from here on. A machine without a clock starts with the age of its
 * software, which may be older than the controller; a "not yet valid" would stop it for nothing.
 */
const NOT_BEFORE = new Date("2020-01-01T00:00:00Z");

/** PEM texts. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface SignedClient {
  /** PEM. */
  readonly certificate: string;
  /** As the store writes it. */
  readonly serial: string;
}

interface CaOptions {
  readonly directory: string;
  readonly nowMs: () => number;
}

/**
 * The controller's own authority: EC P-256, 20 years, `ca.crt` and `ca.key` in the directory. It signs
 * the certificate of the server (`server.crt`, `server.key`) and those of the machines.
 */
export class Authority {
  /** PEM. */
  readonly certificate: string;
  readonly #x509: X509Certificate;
  readonly #directory: string;
  readonly #nowMs: () => number;

  private constructor({ directory, nowMs }: CaOptions, certificate: string) {
    this.#directory = directory;
    this.#nowMs = nowMs;
    this.certificate = certificate;
    this.#x509 = new X509Certificate(certificate);
  }

  /** Opens the authority of a directory, makes it at first start. @throws AgentError `E_CA` */
  static async open(options: CaOptions): Promise<Authority> {
    const { directory } = options;
    const files = { certificate: join(directory, "ca.crt"), key: join(directory, "ca.key") };
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!existsSync(files.certificate)) {
      const made = await makeAuthority(options.nowMs());
      // The key first: a certificate without its key would never be made again.
      writePrivateFile(files.key, made.key);
      writePrivateFile(files.certificate, made.certificate);
    }
    try {
      return new Authority(options, readFileSync(files.certificate, "utf8"));
    } catch (error) {
      throw new AgentError(
        "E_CA",
        `Cannot use ${files.certificate}: ${errorText(error)}, expected a certificate in PEM`,
      );
    }
  }

  /** Whether this authority signed a certificate, whatever its dates say. */
  hasSigned(certificate: X509Certificate): boolean {
    return certificate.checkIssued(this.#x509) && certificate.verify(this.#x509.publicKey);
  }

  /**
   * The certificate of the server, made anew when a third of its life is left or less, when it is not
   * of this authority, or when a name is missing in it.
   *
   * @param names Host names and addresses.
   */
  async server(names: readonly string[]): Promise<ServerCertificate> {
    const files = {
      certificate: join(this.#directory, "server.crt"),
      key: join(this.#directory, "server.key"),
    };
    if (existsSync(files.certificate) && existsSync(files.key)) {
      const certificate = readFileSync(files.certificate, "utf8");
      const key = readFileSync(files.key, "utf8");
      if (this.#isGoodServer(certificate, names)) return { certificate, key };
    }
    const made = await this.#issueServer(names);
    writePrivateFile(files.key, made.key);
    writePrivateFile(files.certificate, made.certificate);
    return made;
  }

  /**
   * Signs the request of a machine: only its public key is taken from it.
   *
   * @param csr PEM (PKCS #10), its own signature must verify.
   * @throws AgentError `E_CSR`
   */
  async signClient(options: {
    readonly csr: string;
    readonly node: string;
    readonly notAfterMs: number;
  }): Promise<SignedClient> {
    const x509 = await loadX509();
    const request = await readRequest(options.csr);
    const serialNumber = newSerial();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber,
      subject: [{ CN: [options.node] }],
      issuer: (await this.#issuer()).subject,
      notBefore: NOT_BEFORE,
      notAfter: new Date(options.notAfterMs),
      publicKey: request.publicKey,
      signingKey: await this.#signingKey(),
      signingAlgorithm: CURVE,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      ],
    });
    return { certificate: pem(certificate), serial: normalSerial(serialNumber) };
  }

  #isGoodServer(text: string, names: readonly string[]): boolean {
    try {
      const certificate = new X509Certificate(text);
      const endMs = certificate.validToDate.getTime();
      return (
        this.hasSigned(certificate) &&
        endMs - this.#nowMs() > (SERVER_DAYS / 3) * DAY_MS &&
        names.every((name) =>
          isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name),
        )
      );
    } catch {
      // Not a certificate: a new one takes its place.
      return false;
    }
  }

  async #issueServer(names: readonly string[]): Promise<ServerCertificate> {
    const x509 = await loadX509();
    const keys = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      subject: [{ CN: ["node0 controller"] }],
      issuer: (await this.#issuer()).subject,
      notBefore: NOT_BEFORE,
      notAfter: new Date(this.#nowMs() + SERVER_DAYS * DAY_MS),
      publicKey: keys.publicKey,
      signingKey: await this.#signingKey(),
      signingAlgorithm: CURVE,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? "dns" : "ip", value: name })),
        ),
      ],
    });
    return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
  }

  async #issuer() {
    const x509 = await loadX509();
    return new x509.X509Certificate(this.certificate);
  }

  async #signingKey(): Promise<CryptoKey> {
    const x509 = await loadX509();
    const path = join(this.#directory, "ca.key");
    try {
      const [der] = x509.PemConverter.decode(readFileSync(path, "utf8"));
      if (der === undefined) throw new Error("no PEM in it");
      return await crypto.subtle.importKey("pkcs8", der, CURVE, false, ["sign"]);
    } catch (error) {
      throw new AgentError(
        "E_CA",
        `Cannot use the CA key ${path}: ${errorText(error)}, expected PKCS #8 of P-256`,
      );
    }
  }
}

async function makeAuthority(nowMs: number): Promise<ServerCertificate> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    // The number keeps two authorities apart in a machine that was moved from one to the other.
    name: [{ CN: [`node0 controller CA ${randomBytes(4).toString("hex")}`] }],
    notBefore: NOT_BEFORE,
    notAfter: new Date(nowMs + CA_DAYS * DAY_MS),
    keys,
    signingAlgorithm: CURVE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
}

async function readRequest(csr: string) {
  const x509 = await loadX509();
  try {
    const request = new x509.Pkcs10CertificateRequest(csr);
    if (!(await request.verify())) throw new Error("its signature does not verify");
    return request;
  } catch (error) {
    throw new AgentError(
      "E_CSR",
      `Cannot sign the request: ${errorText(error)}, expected PKCS #10 in PEM`,
    );
  }
}

/** 127 random bits, positive and without a leading zero byte, so that everybody writes it alike. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

function pem(certificate: { toString(format: "pem"): string }): string {
  return `${certificate.toString("pem").trim()}\n`;
}

async function exportKey(key: CryptoKey): Promise<string> {
  const x509 = await loadX509();
  const der = await crypto.subtle.exportKey("pkcs8", key);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY").trim()}\n`;
}

/** Takes 200 ms, so only what signs loads it: a controller that starts again does not. */
async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}
