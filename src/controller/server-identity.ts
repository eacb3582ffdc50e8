import type { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Authority } from "./ca.ts";
import { RequestError } from "./server-errors.ts";
import type { Store } from "./store.ts";
import { normalSerial } from "./store-certificates.ts";

/** Extended key usage "TLS client" (RFC 5280, 4.2.1.12). */
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Certificates whose signature need not be checked again. */
const MOST_REMEMBERED = 20_000;

interface Presented {
  readonly serial: string;
  readonly node: string;
  readonly endMs: number;
  readonly isSigned: boolean;
}

/**
 * Tells which machine a client certificate belongs to. The signature is checked once for each
 * certificate, everything that may change with every request: dates, revocation, state of the machine.
 */
export class Identity {
  readonly #authority: Authority;
  readonly #store: Store;
  readonly #nowMs: () => number;
  readonly #presented = new WeakMap<object, Presented>();
  /** By fingerprint, of this authority only: machines come back with each heartbeat. */
  readonly #signed = new Map<string, Presented>();

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
    const { node, serial, endMs, isSigned } = presented;
    if (!isSigned) throw refuse(401, "E_CERTIFICATE_FOREIGN", "it is not of this controller");
    if (endMs <= this.#nowMs()) {
      const end = new Date(endMs).toISOString().slice(0, 10);
      throw refuse(401, "E_CERTIFICATE_EXPIRED", `it expired on ${end}`);
    }
    const issued = this.#store.certificates.get(serial);
    if (issued === undefined || issued.node !== node) {
      throw refuse(401, "E_CERTIFICATE_UNKNOWN", "it belongs to no machine of this controller");
    }
    if (issued.revokedMs !== null) {
      throw refuse(403, "E_CERTIFICATE_REVOKED", "it was revoked");
    }
    const state = this.#store.nodes.stateOf(node);
    if (state !== "approved") {
      throw refuse(403, "E_NODE_STATE", `the machine is ${state ?? "unknown"}`);
    }
    return node;
  }

  #read(socket: TLSSocket): Presented | undefined {
    const known = this.#presented.get(socket);
    if (known !== undefined) return known;
    const certificate = socket.getPeerX509Certificate?.();
    if (certificate === undefined) return undefined;
    const fingerprint = certificate.fingerprint256;
    const presented = this.#signed.get(fingerprint) ?? this.#judge(certificate);
    if (presented.isSigned) {
      const [oldest] = this.#signed.keys();
      if (this.#signed.size >= MOST_REMEMBERED && oldest !== undefined) this.#signed.delete(oldest);
      this.#signed.set(fingerprint, presented);
    }
    this.#presented.set(socket, presented);
    return presented;
  }

  #judge(certificate: X509Certificate): Presented {
    return {
      serial: normalSerial(certificate.serialNumber),
      node: commonName(certificate),
      endMs: certificate.validToDate.getTime(),
      isSigned:
        (certificate.keyUsage ?? []).includes(CLIENT_AUTH) &&
        this.#authority.hasSigned(certificate),
    };
  }
}

function commonName({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? "";
}

function refuse(status: 401 | 403, code: string, seen: string): RequestError {
  return new RequestError(
    status,
    code,
    `Cannot accept the client certificate: ${seen}, expected that of an approved machine`,
  );
}
