import { createPrivateKey, randomBytes, sign, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Authority, type SignedClient } from "../../src/controller/ca.ts";
import { Store } from "../../src/controller/store.ts";
import { readMasterKey } from "../../src/controller/store-key.ts";
import type { UnlockRequest } from "../../src/vault/controller-api.ts";
import { makeRequest } from "../../test/integration/support/controller.ts";

const YEAR_MS = 365 * 86_400_000;
const STEP = 100;

export interface FleetMachine {
  readonly mac: string;
  /** An address of the loopback of its own: limits of the controller count by address. */
  readonly address: string;
  /** PEM. */
  readonly certificate: string;
}

export interface Fleet {
  readonly machines: readonly FleetMachine[];
  /** PEM of the key of all certificates; each machine would have its own, which costs a server nothing. */
  readonly key: string;
  /** PEM. */
  readonly ca: string;
}

/** Fills an empty directory with approved machines that have a key and a client certificate. */
export async function makeFleet(directory: string, count: number): Promise<Fleet> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const nowMs = (): number => Date.now();
  const masterKey = readMasterKey({ directory, environment: undefined });
  const store = new Store({ directory, masterKey, nowMs });
  try {
    const authority = await Authority.open({ directory, nowMs });
    const { csr, key } = makeRequest();
    const numbers = Array.from({ length: count }, (_, number) => number);
    const ids = store.transaction(() => numbers.map((number) => addMachine(store, number)));
    const notAfterMs = Date.now() + YEAR_MS;
    const pattern = await authority.signClient({ csr, node: ids[0] ?? "", notAfterMs });
    const signFor = signerLike(pattern, { node: ids[0] ?? "", caKey: join(directory, "ca.key") });
    const machines: FleetMachine[] = [];
    for (let from = 0; from < count; from += STEP) {
      const some = numbers.slice(from, from + STEP);
      const changes = await Promise.all(
        some.map((number) => {
          const id = ids[number] ?? "";
          const path = join(directory, "private", `none-${id}`);
          return store.privates.prepare(id, { path, sizeBytes: 0, sha256: "" });
        }),
      );
      store.transaction(() => {
        for (const [place, number] of some.entries()) {
          const id = ids[number] ?? "";
          changes[place]?.commit(Buffer.alloc(32, number));
          const { certificate, serial } = signFor(id);
          store.certificates.add(serial, id, notAfterMs);
          machines.push({ mac: macOf(number), address: addressOf(number), certificate });
        }
      });
    }
    return { machines, key, ca: authority.certificate };
  } finally {
    await store.close();
  }
}

/**
 * Signs certificates that differ from one of the authority in serial number and machine alone. The
 * authority takes 4 ms for each, which is fine for an operator and too long for ten thousand.
 */
function signerLike(
  pattern: SignedClient,
  { node, caKey }: { readonly node: string; readonly caKey: string },
): (node: string) => SignedClient {
  const key = createPrivateKey(readFileSync(caKey));
  const der = new X509Certificate(pattern.certificate).raw;
  const body = elementAt(der, der.length - elementAt(der, 0).contentLength);
  const algorithm = elementAt(der, body.end);
  return (next) => {
    const serial = randomBytes(16);
    // As in the pattern: positive, and without a leading zero byte.
    serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
    const signed = Buffer.from(der.subarray(body.start, body.end));
    serial.copy(signed, placeOf(signed, Buffer.from(pattern.serial, "hex")));
    Buffer.from(next).copy(signed, placeOf(signed, Buffer.from(node)));
    const signature = Buffer.concat([Buffer.of(0), sign("sha256", signed, key)]);
    const content = Buffer.concat([
      signed,
      der.subarray(algorithm.start, algorithm.end),
      Buffer.of(BIT_STRING, signature.length),
      signature,
    ]);
    const head = Buffer.of(SEQUENCE, 0x82, content.length >> 8, content.length & 0xff);
    const certificate = toPem(Buffer.concat([head, content]));
    return { certificate, serial: serial.toString("hex") };
  };
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

/** Where an element of DER lies (X.690, 8.1). */
function elementAt(der: Buffer, start: number) {
  const first = der[start + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const contentLength = lengthBytes === 0 ? first : der.readUIntBE(start + 2, lengthBytes);
  return { start, contentLength, end: start + 2 + lengthBytes + contentLength };
}

function placeOf(bytes: Buffer, part: Buffer): number {
  const place = bytes.indexOf(part);
  if (place < 0) throw new Error("Cannot find the part of the certificate that is to change");
  return place;
}

function toPem(der: Buffer): string {
  const lines = der.toString("base64").replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function addMachine(store: Store, number: number): string {
  const { id } = store.nodes.add({
    macs: [macOf(number)],
    isRegistered: true,
    overlayAddress: "",
    reported: unlockBody(macOf(number)),
    address: addressOf(number),
  });
  store.nodes.setState(id, "approved", `machine ${number}`);
  return id;
}

/** What a machine sends for its key. */
export function unlockBody(mac: string): UnlockRequest {
  return {
    macs: [mac],
    serial: `S-${mac}`,
    vendor: "Supermicro",
    product: "SYS-5019C-MR",
    overlayId: "0123456789",
    version: "0.1.0",
  };
}

function macOf(number: number): string {
  const bytes = [16, 8, 0].map((shift) => (number >> shift) & 0xff);
  return `52:54:00:${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`;
}

function addressOf(number: number): string {
  return `127.${1 + (number >> 16)}.${(number >> 8) & 0xff}.${number & 0xff}`;
}
