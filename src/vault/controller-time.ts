import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { ControllerConfig } from "../config/network-types.ts";
import type { Files } from "../sys/files.ts";
import { connectionOptions, hostOf } from "./controller-request.ts";

export interface TimeRequest {
  readonly controller: ControllerConfig;
  readonly address?: string | undefined;
  readonly limitMs: number;
  readonly clock: Clock;
  readonly files: Pick<Files, "readText">;
  readonly signal: AbortSignal;
}

/**
 * Asks a controller for the time when the clock is too wrong to check dates. Everything else about its
 * certificate is checked: signed for server use by the configured CA, directly, for the host of the URL, and
 * the handshake proves that it has the key. The time has to lie within the dates of both certificates,
 * so that a full check passes once the clock is set.
 *
 * @returns Milliseconds since the epoch, exact to a second; undefined when there is none to be believed.
 */
export async function readControllerTime(request: TimeRequest): Promise<number | undefined> {
  const { files, controller, clock, limitMs, signal } = request;
  const text = files.readText(controller.ca);
  if (text === undefined) return undefined;
  return new Promise((resolve) => {
    let socket: TLSSocket | undefined;
    const end = (timeMs: number | undefined): void => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      socket?.destroy();
      resolve(timeMs);
    };
    const onAbort = (): void => end(undefined);
    const cancel = clock.after(limitMs, () => end(undefined));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) {
      end(undefined);
      return;
    }
    try {
      const options = connectionOptions(request);
      socket = process.getBuiltinModule("node:tls").connect({
        ...options,
        // Nothing is sent but a request for the time, and nothing is believed that check does not allow.
        rejectUnauthorized: false,
      });
    } catch {
      end(undefined);
      return;
    }
    const { host } = hostOf(controller);
    socket.on("error", () => end(undefined));
    socket.once("secureConnect", () => {
      const certificate = socket?.getPeerX509Certificate();
      const allows = certificate === undefined ? undefined : check(certificate, text, host);
      if (allows === undefined) {
        end(undefined);
        return;
      }
      const call = process.getBuiltinModule("node:http").request({
        createConnection: () => socket as TLSSocket,
        path: "/healthz",
        headers: { host: new URL(controller.url).host, connection: "close" },
      });
      call.on("error", () => end(undefined));
      call.once("response", ({ headers }) => {
        const timeMs = Date.parse(headers.date ?? "");
        end(allows(timeMs) ? timeMs : undefined);
      });
      call.end();
    });
  });
}

/** OpenSSL's own verdict is of no use here: it tells the last fault, and that may be the date of a stranger. */
function check(
  certificate: X509Certificate,
  caText: string,
  host: string,
): ((timeMs: number) => boolean) | undefined {
  const { X509Certificate: Certificate } = process.getBuiltinModule("node:crypto");
  const [first] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(caText) ?? [];
  if (first === undefined) return undefined;
  const ca = new Certificate(first);
  const isSigned = ca.ca && certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
  const isNamed =
    isIP(host) === 0
      ? certificate.checkHost(host) !== undefined
      : certificate.checkIP(host) !== undefined;
  const isServer = !certificate.ca && (certificate.keyUsage ?? []).includes(SERVER_AUTH);
  if (!isSigned || !isNamed || !isServer) return undefined;
  return (timeMs) => [certificate, ca].every((one) => isWithin(one, timeMs));
}

/** `keyUsage` of node:crypto is the extended one. Source: RFC 5280, section 4.2.1.12. */
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

/** False for a time that is none. */
const isWithin = ({ validFrom, validTo }: X509Certificate, timeMs: number): boolean =>
  timeMs >= Date.parse(validFrom) && timeMs <= Date.parse(validTo);
