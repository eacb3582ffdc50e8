import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Authority } from "../../src/controller/ca.ts";
import { Store } from "../../src/controller/store.ts";
import { readMasterKey } from "../../src/controller/store-key.ts";
import type { UnlockRequest } from "../../src/vault/controller-api.ts";
import { makeRequest } from "../../test/integration/support/controller.ts";

const YEAR_MS = 365 * 86_400_000;
const CERTIFICATES_AT_ONCE = 50;

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
    const machines: FleetMachine[] = [];
    const notAfterMs = Date.now() + YEAR_MS;
    for (let from = 0; from < count; from += CERTIFICATES_AT_ONCE) {
      const some = numbers.slice(from, from + CERTIFICATES_AT_ONCE);
      const made = await Promise.all(
        some.map(async (number) => {
          const id = ids[number] ?? "";
          const signed = await authority.signClient({ csr, node: id, notAfterMs });
          const path = join(directory, "private", `none-${id}`);
          const change = await store.privates.prepare(id, { path, sizeBytes: 0, sha256: "" });
          return { number, id, signed, change };
        }),
      );
      store.transaction(() => {
        for (const { number, id, signed, change } of made) {
          change.commit(Buffer.alloc(32, number));
          store.certificates.add(signed.serial, id, notAfterMs);
          const { certificate } = signed;
          machines.push({ mac: macOf(number), address: addressOf(number), certificate });
        }
      });
    }
    return { machines, key, ca: authority.certificate };
  } finally {
    await store.close();
  }
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
