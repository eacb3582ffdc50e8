import { isIP } from "node:net";
import type { connect as connectTls } from "node:tls";
import { errorCode, errorText } from "../base/errors.ts";
import type { ProbeAddress } from "../config/kernel-words.ts";
import type { ControllerConfig } from "../config/network-types.ts";
import type { Files } from "../sys/files.ts";
import { tcpProbe } from "./probe.ts";
import type { Reach, ReachRequest, ReachResult } from "./reach.ts";
import { plainTlsReason } from "./tls-reasons.ts";

export interface TlsReachOptions {
  readonly controllers: readonly ControllerConfig[];
  /** Used only without controllers. */
  readonly probes: readonly ProbeAddress[];
  readonly files: Pick<Files, "readText">;
}

/** A way to one target; resolves with "" when it works, otherwise with the reason in plain words. */
type Try = (request: ReachRequest) => Promise<string>;

/**
 * Controllers count as reached when the TLS handshake is done and the certificate was signed by the
 * configured CA for the host of the URL: a port that merely answers proves nothing.
 */
export class TlsReach implements Reach {
  readonly controllers: number;
  readonly probes: number;
  readonly #authorities: readonly string[];
  readonly #files: Pick<Files, "readText">;
  readonly #targets: readonly { readonly target: string; readonly run: Try }[];

  constructor({ controllers, probes, files }: TlsReachOptions) {
    this.controllers = controllers.length;
    this.#authorities = controllers.map(({ ca }) => ca);
    this.#files = files;
    this.probes = probes.length;
    const overTls = controllers.map((controller) => ({
      target: controller.url,
      run: (request: ReachRequest) => tryController(controller, files, request),
    }));
    const overTcp = probes.map((probe) => ({
      target: `${probe.host}:${probe.port}`,
      run: (request: ReachRequest) => tryProbe(probe, request),
    }));
    this.#targets = overTls.length > 0 ? overTls : overTcp;
  }

  prepare(): void {
    const [ca] = this.#authorities;
    const text = ca === undefined ? undefined : this.#files.readText(ca);
    if (text === undefined) return;
    try {
      // With its CA: without one every root certificate Node.js ships would be parsed.
      loadTls().createSecureContext({ ca: text });
    } catch {
      // A CA that cannot be read is told by the try that needs it.
    }
  }

  async try(request: ReachRequest): Promise<readonly ReachResult[]> {
    const results = new Map<string, ReachResult>();
    const first = Promise.withResolvers<void>();
    const end = new AbortController();
    const signal = AbortSignal.any([request.signal, end.signal]);
    const all = this.#targets.map(async ({ target, run }) => {
      const reason = await run({ ...request, signal });
      const isReached = reason === "";
      if (!signal.aborted || isReached) {
        results.set(target, { target, isReached, reason: isReached ? "reached" : reason });
      }
      if (isReached) first.resolve();
    });
    await Promise.race([first.promise, Promise.all(all)]);
    end.abort();
    request.signal.throwIfAborted();
    return this.#targets.flatMap(({ target }) => results.get(target) ?? []);
  }
}

/** Not imported: machines without controller do without TLS, and loading it takes a while. */
function loadTls(): typeof import("node:tls") {
  return process.getBuiltinModule("node:tls");
}

async function tryProbe(probe: ProbeAddress, { limitMs }: ReachRequest): Promise<string> {
  return (await tcpProbe(probe, limitMs)) ? "" : `no answer within ${limitMs / 1000} s`;
}

async function tryController(
  controller: ControllerConfig,
  files: Pick<Files, "readText">,
  { address, limitMs, signal }: ReachRequest,
): Promise<string> {
  const ca = files.readText(controller.ca);
  if (ca === undefined) return `cannot read its CA file ${controller.ca}`;
  const url = new URL(controller.url);
  // URL keeps the brackets of an IPv6 address, sockets and certificates do not have them.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const { checkServerIdentity, connect } = loadTls();
  return new Promise((resolve) => {
    const end = (reason: string): void => {
      clearTimeout(limit);
      signal.removeEventListener("abort", stop);
      socket?.destroy();
      resolve(reason);
    };
    const stop = (): void => end("stopped");
    const limit = setTimeout(() => end(`no answer within ${limitMs / 1000} s`), limitMs);
    signal.addEventListener("abort", stop, { once: true });
    let socket: ReturnType<typeof connectTls> | undefined;
    try {
      socket = connect({
        host: address ?? host,
        port: Number(url.port || 443),
        ca,
        // By name even where another address is asked: the certificate is that of the URL.
        ...(isIP(host) === 0 ? { servername: host } : {}),
        checkServerIdentity: (_asked, certificate) => checkServerIdentity(host, certificate),
        minVersion: "TLSv1.2",
      });
      socket.once("secureConnect", () => end(""));
      socket.on("error", (error) => end(plainTlsReason(error, controller.ca)));
      socket.once("close", () => end("connection closed before TLS was set up"));
    } catch (error) {
      // A CA file that is no PEM, for example.
      end(`${errorText(error)}${errorCode(error) === undefined ? "" : ` (${errorCode(error)})`}`);
    }
  });
}
