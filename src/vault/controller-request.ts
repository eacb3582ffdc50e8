import type { ClientRequest, IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { AgentError, errorCode, errorText } from "../base/errors.ts";
import type { ControllerConfig } from "../config/network-types.ts";
import { plainTlsReason } from "../network/tls-reasons.ts";
import type { Files } from "../sys/files.ts";

/** Client certificate and its key, PEM. */
export interface ClientIdentity {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** In milliseconds, but for the size. */
export interface RequestLimits {
  /** Name lookup, TCP and TLS. */
  readonly connectMs: number;
  /** From the start to the first byte of the answer's body. */
  readonly headersMs: number;
  /** From the start to the last byte. */
  readonly wholeMs: number;
  readonly bodyBytes: number;
}

export const JSON_LIMITS: RequestLimits = {
  connectMs: 5000,
  headersMs: 10_000,
  wholeMs: 15_000,
  bodyBytes: 64 * 1024,
};

export const ARCHIVE_LIMITS: RequestLimits = {
  ...JSON_LIMITS,
  wholeMs: 120_000,
  bodyBytes: 64 * 1024 * 1024,
};

/** A TLS session of an earlier connection, and where the next ones go. */
export interface SessionUse {
  /** Taken up again where the controller still knows it. */
  readonly held: Buffer | undefined;
  /** @param isResumed The connection it came with had itself taken one up. */
  keep(session: Buffer, isResumed: boolean): void;
}

export interface ControllerRequest {
  readonly controller: ControllerConfig;
  /** Asked instead of the host of the URL; the certificate is still that of the URL's host. */
  readonly address?: string | undefined;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** JSON. */
  readonly body?: string | undefined;
  readonly identity?: ClientIdentity | undefined;
  /** For requests with an identity: saves both sides the exchange of certificates. */
  readonly session?: SessionUse | undefined;
  readonly limits: RequestLimits;
  readonly clock: Clock;
  readonly files: Pick<Files, "readText">;
  readonly signal: AbortSignal;
}

export interface ControllerReply {
  /** Any but a redirect. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Belongs to the caller, who wipes it where it holds a secret. */
  readonly body: Buffer;
}

export interface ReceivedReply extends ControllerReply {
  /** The connection took up a session: certificates were not exchanged. */
  readonly isResumed: boolean;
}

/**
 * One request over a TLS connection of its own. The certificate of the controller has to be signed by
 * its configured CA, for the host of its URL, and valid now, or when the session began that is taken up.
 *
 * @throws AgentError `E_CONTROLLER` when there is no answer that can be used, `E_CONTROLLER_IDENTITY`
 *   when the client certificate is what is wrong; the message is the plain reason. The reason of the
 *   signal when aborted.
 */
export function requestController(request: ControllerRequest): Promise<ReceivedReply> {
  const { clock, limits, signal, controller, identity } = request;
  return new Promise((resolve, reject) => {
    const cancels: (() => void)[] = [];
    let socket: TLSSocket | undefined;
    const settle = (): void => {
      for (const cancel of cancels.splice(0)) cancel();
      socket?.destroy();
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error);
    };
    const limit = (ms: number, what: string): (() => void) => {
      const cancel = clock.after(ms, () => fail(failure(`${what} within ${ms / 1000} s`)));
      cancels.push(cancel);
      return cancel;
    };
    const onAbort = (): void => fail(signal.reason);
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    cancels.push(() => signal.removeEventListener("abort", onAbort));
    try {
      const held = request.session?.held;
      const options = connectionOptions(request);
      const { connect } = process.getBuiltinModule("node:tls");
      socket = connect(held === undefined ? options : { ...options, session: held });
    } catch (error) {
      fail(certificateFileError(error, identity));
      return;
    }
    const connection = socket;
    const onError = (error: unknown): void => fail(connectionError(error, controller.ca));
    const onClose = (): void => fail(failure("connection closed before TLS was set up"));
    const connecting = limit(limits.connectMs, "no TLS connection");
    const waiting = limit(limits.headersMs, "connected, but no answer");
    limit(limits.wholeMs, "the answer did not end");
    // It goes on being emitted while the connection is torn down; settled is settled.
    connection.on("error", onError);
    connection.once("close", onClose);
    connection.on("session", (next: Buffer) => {
      // Older versions send it where others can read it.
      if (connection.getProtocol() !== "TLSv1.3") return;
      request.session?.keep(next, connection.isSessionReused());
    });
    // Sent only then: what waits to be written turns each fault of the handshake into a failed write.
    connection.once("secureConnect", () => {
      connecting();
      connection.off("close", onClose);
      const call = send(request, connection);
      call.on("error", onError);
      call.once("response", (response) => {
        receive(response, limits.bodyBytes, waiting).then((reply) => {
          const isResumed = connection.isSessionReused();
          settle();
          resolve({ ...reply, isResumed });
        }, fail);
      });
    });
  });
}

function send(request: ControllerRequest, connection: TLSSocket): ClientRequest {
  const call = process.getBuiltinModule("node:http").request({
    // With a connection of its own there is no agent that keeps it, or its certificate, for later.
    createConnection: () => connection,
    method: request.method,
    path: request.path,
    headers: requestHeaders(request),
  });
  // It may hold a key. The parser, which listens first, has copied the body out of it by then.
  call.once("socket", (socket) => {
    socket.on("data", (received: Buffer) => received.fill(0));
  });
  call.end(request.body);
  return call;
}

/** @param onFirst Called when the body begins. @throws AgentError `E_CONTROLLER`. */
function receive(
  response: IncomingMessage,
  limitBytes: number,
  onFirst: () => void,
): Promise<ControllerReply> {
  const { statusCode: status = 0, headers } = response;
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      for (const chunk of chunks.splice(0)) chunk.fill(0);
      reject(failure(why));
    };
    const tooLarge = (): void => fail(`the answer is larger than ${limitBytes} bytes`);
    response.on("error", () => fail("the connection ended in the middle of the answer"));
    response.on("data", (chunk: Buffer) => {
      onFirst();
      sizeBytes += chunk.length;
      chunks.push(chunk);
      if (sizeBytes > limitBytes) tooLarge();
    });
    response.on("end", () => {
      // Not from the pool, which would share its memory with others.
      const body = Buffer.alloc(sizeBytes);
      let at = 0;
      for (const chunk of chunks.splice(0)) {
        at += chunk.copy(body, at);
        // The body may be a secret: nothing of it stays behind in the pieces it came in.
        chunk.fill(0);
      }
      resolve({ status, headers, body });
    });
    if (status >= 300 && status < 400) {
      fail(`it answered with a redirect (${status}), which is not followed`);
    } else if (Number(headers["content-length"] ?? 0) > limitBytes) {
      tooLarge();
    }
  });
}

/** How a controller is connected to. @throws AgentError `E_CONTROLLER` without its CA. */
export function connectionOptions(
  request: Pick<ControllerRequest, "controller" | "address" | "identity" | "files">,
): ConnectionOptions {
  const { controller, address, identity, files } = request;
  const ca = files.readText(controller.ca);
  if (ca === undefined) throw failure(`cannot read its CA file ${controller.ca}`);
  const { host, port } = hostOf(controller);
  const { checkServerIdentity, createSecureContext } = process.getBuiltinModule("node:tls");
  return {
    host: address ?? host,
    port,
    // By name even where another address is asked: the certificate is that of the URL.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    checkServerIdentity: (_asked, certificate) => checkServerIdentity(host, certificate),
    minVersion: "TLSv1.2",
    secureContext: createSecureContext({
      ca,
      minVersion: "TLSv1.2",
      ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
    }),
  };
}

/** URL keeps the brackets of an IPv6 address, sockets and certificates do not have them. */
export function hostOf({ url }: ControllerConfig): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port || 443) };
}

function requestHeaders({ controller, body }: ControllerRequest): Record<string, string> {
  return {
    host: new URL(controller.url).host,
    accept: "application/json, application/x-tar",
    connection: "close",
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": `${Buffer.byteLength(body)}` }),
  };
}

const failure = (why: string): AgentError => new AgentError("E_CONTROLLER", why);

/** What goes wrong before anything is sent: a PEM file that is none, a key of another certificate. */
function certificateFileError(error: unknown, identity: ClientIdentity | undefined): unknown {
  if (error instanceof AgentError) return error;
  const why = `${errorText(error)}${errorCode(error) === undefined ? "" : ` (${errorCode(error)})`}`;
  if (identity === undefined) return failure(`its CA file cannot be used: ${why}`);
  const message = `client certificate or CA file cannot be used: ${why}`;
  return new AgentError("E_CONTROLLER_IDENTITY", message);
}

/** Alerts a server sends about the certificate of a client. Source: RFC 8446, section 6.2. */
const IDENTITY_ALERTS: readonly (readonly [RegExp, string])[] = [
  [/ALERT_CERTIFICATE_EXPIRED/, "the client certificate has expired"],
  [/ALERT_CERTIFICATE_REVOKED/, "the client certificate is revoked"],
  [/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN)/, "the client certificate is not known"],
  [/ALERT_(CERTIFICATE_REQUIRED|ACCESS_DENIED)/, "no client certificate, or it is refused"],
];

function connectionError(error: unknown, caFile: string): AgentError {
  const code = errorCode(error) ?? "";
  const [, alert] = IDENTITY_ALERTS.find(([pattern]) => pattern.test(code)) ?? [];
  if (alert !== undefined) {
    return new AgentError("E_CONTROLLER_IDENTITY", `it says that ${alert}`);
  }
  if (code.startsWith("HPE_")) return failure("the answer is not HTTP");
  return failure(plainTlsReason(error, caFile));
}
