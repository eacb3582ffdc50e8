import type { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Authority } from "./ca.ts";
import { RequestError } from "./server-errors.ts";
import type { Store } from "./store.ts";
import { normalSerial } from "./store-certificates.ts";

/** Extended key usage "TLS client" (RFC 5280, 4.2.1.12). */
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

interface Presented {
  readonly serial: string;
  readonly isSigned: boolean;
  /** When TLS found it good: never, the store tells. */
  readonly endMs: number;
}

/**
 * Tells which machine a client certificate belongs to. The signature is checked once for each TLS
 * session, everything that may change with every request: dates, revocation, state of the machine. A
 * session that is taken up again carries the certificate it began with.
 */
export class Identity {
  readonly #authority: Authority;
  readonly #store: Store;
  readonly #nowMs: () => number;
  readonly #presented = new WeakMap<object, Presented>();

  constructor(options: { authority: Authority; store: Store; nowMs: () => number }) {
    this.#authority = options.authority;
    this.#store = options.store;
    this.#nowMs = options.nowMs;
  }

  /** @returns The node. @throws RequestError 401 | 403 */
  check(request: IncomingMessage): string {
    const presented = this.#read(request.socket as TLSSocket);
    if (presented === undefined) {
      throw refuse(401, "E_CERTIFICATE_MISSING", "no client certificate came with it");
    }
    const { serial, isSigned, endMs } = presented;
    if (!isSigned) throw refuse(401, "E_CERTIFICATE_FOREIGN", "it is not of this controller");
    this.#checkEnd(endMs);
    const holder = this.#store.certificates.holder(serial);
    if (holder === undefined) {
      throw refuse(401, "E_CERTIFICATE_UNKNOWN", "it belongs to no machine of this controller");
    }
    const { node, state, expiresMs, revokedMs } = holder;
    this.#checkEnd(expiresMs);
    if (revokedMs !== null) throw refuse(403, "E_CERTIFICATE_REVOKED", "it was revoked");
    if (state !== "approved") throw refuse(403, "E_NODE_STATE", `the machine is ${state}`);
    return node;
  }

  #read(socket: TLSSocket): Presented | undefined {
    const known = this.#presented.get(socket);
    if (known !== undefined) return known;
    const certificate = socket.getPeerX509Certificate?.();
    if (certificate === undefined) return undefined;
    const serial = normalSerial(certificate.serialNumber);
    // TLS trusts no other authority, so what it found good need not be checked a second time.
    const presented = socket.authorized
      ? { serial, isSigned: true, endMs: Number.POSITIVE_INFINITY }
      : { serial, isSigned: this.#isSigned(certificate), endMs: certificate.validToDate.getTime() };
    this.#presented.set(socket, presented);
    return presented;
  }

  #checkEnd(endMs: number): void {
    if (endMs > this.#nowMs()) return;
    const end = new Date(endMs).toISOString().slice(0, 10);
    throw refuse(401, "E_CERTIFICATE_EXPIRED", `it expired on ${end}`);
  }

  /** Of what TLS refused the expired ones are ours, too. */
  #isSigned(certificate: X509Certificate): boolean {
    const isForClients = (certificate.keyUsage ?? []).includes(CLIENT_AUTH);
    return isForClients && this.#authority.hasSigned(certificate);
  }
}

function refuse(status: 401 | 403, code: string, seen: string): RequestError {
  return new RequestError(
    status,
    code,
    `Cannot accept the client certificate: ${seen}, expected that of an approved machine`,
  );
}
