/** PEM texts as bytes: the key is for its user to wipe. */
export interface CertificatePair {
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
}

/**
 * Makes a key (ECDSA P-256) and a certificate that it signs itself, of no use but to encrypt: whoever wants
 * to know the node by it compares its fingerprint. It has no end and no beginning that a wrong clock
 * could miss. The few parts of the certificate (RFC 5280, 4.1) are put together here: a library for them
 * is as large as the endpoint.
 */
export function makeSelfSigned(commonName: string): CertificatePair {
  const crypto = process.getBuiltinModule("node:crypto");
  const { privateKey, publicKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(set(sequence(COMMON_NAME, der(UTF8, Buffer.from(commonName)))));
  const body = sequence(
    der(0xa0, der(INTEGER, Buffer.of(2))),
    der(INTEGER, serialNumber(crypto.randomBytes(SERIAL_BYTES))),
    ECDSA_WITH_SHA256,
    name,
    sequence(
      der(UTC_TIME, Buffer.from("200101000000Z")),
      // RFC 5280, 4.1.2.5: no end that is known.
      der(GENERALIZED_TIME, Buffer.from("99991231235959Z")),
    ),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(subjectAltName(commonName), keyUsage(), serverUsage())),
  );
  const signature = crypto.sign("sha256", body, privateKey);
  const certificate = sequence(body, ECDSA_WITH_SHA256, bits(signature, 0));
  return {
    certificate: Buffer.from(pem("CERTIFICATE", certificate)),
    key: Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

const SERIAL_BYTES = 16;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8 = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
/** A choice of SubjectAltName. */
const DNS_NAME = 0x82;
const DIGITAL_SIGNATURE = 0x80;

const COMMON_NAME = oid("550403");
const SUBJECT_ALT_NAME = oid("551d11");
const KEY_USAGE = oid("551d0f");
const EXTENDED_KEY_USAGE = oid("551d25");
const SERVER_AUTH = oid("2b06010505070301");
const ECDSA_WITH_SHA256 = sequence(oid("2a8648ce3d040302"));

function oid(content: string): Buffer {
  return der(OBJECT_IDENTIFIER, Buffer.from(content, "hex"));
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(SEQUENCE, Buffer.concat(parts));
}

function set(...parts: readonly Uint8Array[]): Buffer {
  return der(SET, Buffer.concat(parts));
}

function bits(content: Uint8Array, unused: number): Buffer {
  return der(BIT_STRING, Buffer.concat([Buffer.of(unused), content]));
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

/** Positive, and of full length whatever was thrown. */
function serialNumber(random: Buffer): Buffer {
  random[0] = ((random[0] ?? 0) & 0x3f) | 0x40;
  return random;
}

const subjectAltName = (name: string): Buffer =>
  sequence(
    SUBJECT_ALT_NAME,
    der(OCTET_STRING, sequence(der(DNS_NAME, Buffer.from(name, "latin1")))),
  );

const keyUsage = (): Buffer =>
  sequence(KEY_USAGE, der(OCTET_STRING, bits(Buffer.of(DIGITAL_SIGNATURE), 7)));

const serverUsage = (): Buffer =>
  sequence(EXTENDED_KEY_USAGE, der(OCTET_STRING, sequence(SERVER_AUTH)));

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
