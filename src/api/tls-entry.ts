import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Counters } from "./counters.ts";
import type { CertificateOptions, LoadedCertificate } from "./tls-certificate.ts";

export interface TlsOptions extends CertificateOptions {
  readonly mode: "on" | "required";
}

interface TlsEntryOptions extends TlsOptions {
  readonly logger: Logger;
  readonly counters: Counters;
}

/** First byte of a TLS connection: a record of type handshake. Source: RFC 8446, 5.1. */
const HANDSHAKE = 0x16;
/**
 * Handshakes at the same time; the oldest makes room for the next. Each may hold some 100 KiB, and who wants
 * in needs a fraction of a second for it.
 */
const MAX_HANDSHAKES = 1024;

/**
 * TLS on the port of the plain endpoint. Nothing of it is loaded, no certificate read or made, before the
 * first client speaks it.
 */
export class TlsEntry {
  readonly #options: TlsEntryOptions;
  readonly #handshakes = new Set<TLSSocket>();
  #certificate: LoadedCertificate | undefined;
  #loading: Promise<LoadedCertificate> | undefined;

  constructor(options: TlsEntryOptions) {
    this.#options = options;
  }

  get mode(): TlsOptions["mode"] {
    return this.#options.mode;
  }

  /** The certificate clients get to see; undefined until the first of them came. */
  get certificate(): Pick<LoadedCertificate, "fingerprint" | "origin"> | undefined {
    return this.#certificate;
  }

  /** @param chunk The first bytes a client sent. */
  isTls(chunk: Uint8Array): boolean {
    return chunk[0] === HANDSHAKE;
  }

  /**
   * Takes over a socket whose first bytes were put back into it.
   *
   * @returns The socket to talk through; the handshake goes on in it.
   */
  async open(socket: Socket): Promise<TLSSocket> {
    const { context } = this.#certificate ?? (await this.#load());
    const { TLSSocket } = process.getBuiltinModule("node:tls");
    const secure = new TLSSocket(socket, { isServer: true, secureContext: context });
    secure.disableRenegotiation();
    this.#watch(secure);
    return secure;
  }

  /**
   * Reads the files of the certificate again; connections that are open keep the one they have.
   *
   * @returns What could not be used, one sentence each. What was in use before stays.
   */
  async reload(): Promise<readonly string[]> {
    const { givenCertificate } = await import("./tls-certificate.ts");
    try {
      const given = await givenCertificate(this.#options);
      if (given !== null) this.#use(given);
      else if (this.#certificate?.origin === "private") this.#certificate = undefined;
      return [];
    } catch (error) {
      return [errorText(error)];
    }
  }

  #load(): Promise<LoadedCertificate> {
    this.#loading ??= this.#find().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** A node whose files cannot be used is still reached by who knows its own certificate, or asks for none. */
  async #find(): Promise<LoadedCertificate> {
    const { givenCertificate, ownCertificate } = await import("./tls-certificate.ts");
    const { logger, stateDir } = this.#options;
    const given = await givenCertificate(this.#options).catch((error: unknown) => {
      logger.warn("certificate not used", { problem: errorText(error) });
      return null;
    });
    return this.#use(given ?? ownCertificate(stateDir));
  }

  #use(loaded: LoadedCertificate): LoadedCertificate {
    const { origin, fingerprint } = loaded;
    if (this.#certificate?.fingerprint !== fingerprint) {
      this.#options.logger.info("certificate in use", { origin, fingerprint });
    }
    this.#certificate = loaded;
    return loaded;
  }

  #watch(secure: TLSSocket): void {
    const { counters } = this.#options;
    this.#handshakes.add(secure);
    secure.once("secure", () => {
      this.#handshakes.delete(secure);
      counters.tlsConnections += 1;
    });
    secure.once("close", () => {
      if (this.#handshakes.delete(secure)) counters.tlsFailures += 1;
    });
    if (this.#handshakes.size <= MAX_HANDSHAKES) return;
    const [oldest] = this.#handshakes;
    oldest?.destroy();
  }
}
