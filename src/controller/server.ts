import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { errorText } from "../base/errors.ts";
import type { ApiAnswer, Match, Router } from "./router.ts";
import { readJson } from "./router-body.ts";
import { plainAddress } from "./server-address.ts";
import type { Core } from "./server-core.ts";
import { describeError, RequestError } from "./server-errors.ts";
import type { Identity } from "./server-identity.ts";
import type { Operator } from "./server-operator.ts";

/** PEM texts. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Authority of the client certificates. */
  readonly ca: string;
}

/**
 * Answers what no route of the API is for.
 *
 * @returns False, and has done nothing, for what is not for the page either.
 */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

export interface ServerOptions {
  readonly core: Core;
  readonly operator: Operator;
  readonly identity: Identity;
  readonly router: Router;
  readonly tls: TlsFiles;
  readonly page?: PageHandler | undefined;
}

/** Each open connection holds 65 KiB. */
const MOST_CONNECTIONS = 1024;
const MOST_CONNECTIONS_OF_ADDRESS = 512;
const HEADER_LIMIT_BYTES = 16 * 1024;
const HANDSHAKE_LIMIT_MS = 10_000;
const HEADERS_LIMIT_MS = 10_000;
const REQUEST_LIMIT_MS = 130_000;

/** A connection on which nothing moves, for example a client that does not read its answer. */
const IDLE_LIMIT_MS = 30_000;

/** Machines come every 30 s: connections kept that long would cost more memory than new ones cost time. */
const KEEP_ALIVE_MS = 3000;

/**
 * How long a TLS session may be taken up after certificates were exchanged. Machines exchange them once an
 * hour: ten thousand of them come with 334 requests a second and 3 full handshakes.
 */
const SESSION_S = 3600;
const TICKET_KEY_BYTES = 48;

/** After an answer that refuses a body, the rest of it is not waited for longer than this. */
const LINGER_MS = 1000;

/** How long requests under way may take to end when the server stops. */
const STOP_LIMIT_MS = 3000;

const SECURITY = { "x-content-type-options": "nosniff", "cache-control": "no-store" } as const;

/** HTTPS with TLS 1.3. Client certificates are asked for and judged by each route, not by TLS. */
export class ControllerServer {
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #connections = new Map<string, number>();
  #isStopping = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    const { certificate, key, ca } = options.tls;
    this.#server = createServer(
      {
        cert: certificate,
        key,
        ca,
        minVersion: "TLSv1.3",
        requestCert: true,
        rejectUnauthorized: false,
        sessionTimeout: SESSION_S,
        handshakeTimeout: HANDSHAKE_LIMIT_MS,
        headersTimeout: HEADERS_LIMIT_MS,
        requestTimeout: REQUEST_LIMIT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: 1000,
        maxHeaderSize: HEADER_LIMIT_BYTES,
      },
      (request, response) => {
        this.#serve(request, response).catch((error: unknown) => {
          options.core.log.error("Request failed", { error: errorText(error) });
          response.destroy();
        });
      },
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.timeout = IDLE_LIMIT_MS;
    this.#server.on("connection", (socket: Socket) => this.#count(socket));
    this.#server.on("secureConnection", (socket) =>
      options.core.metrics.handshake(socket.isSessionReused()),
    );
    // Port scanners and clients without our CA come this way all day: not worth a line each.
    this.#server.on("tlsClientError", () => undefined);
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  get connections(): number {
    return [...this.#connections.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @returns The port. */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen({ host, port, backlog: 1024 }, resolve);
    await promise;
    this.#server.off("error", reject);
    this.#server.on("error", (error) =>
      this.#options.core.log.error("Server socket failed", { error: errorText(error) }),
    );
    return (this.#server.address() as AddressInfo).port;
  }

  /** New connections get the new certificate. */
  setCertificate({ certificate, key, ca }: TlsFiles): void {
    const always = { minVersion: "TLSv1.3", sessionTimeout: SESSION_S } as const;
    this.#server.setSecureContext({ cert: certificate, key, ca, ...always });
  }

  /** Sessions from before are not taken up any more: who finds a key some day can use few of them. */
  renewTicketKeys(): void {
    this.#server.setTicketKeys(randomBytes(TICKET_KEY_BYTES));
  }

  /** Lets requests under way end, for at most 3 s. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), STOP_LIMIT_MS);
    await promise;
    clearTimeout(timer);
  }

  #count(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    const count = (this.#connections.get(address) ?? 0) + 1;
    this.#connections.set(address, count);
    socket.once("close", () => {
      const left = (this.#connections.get(address) ?? 1) - 1;
      if (left > 0) this.#connections.set(address, left);
      else this.#connections.delete(address);
    });
    if (count > MOST_CONNECTIONS_OF_ADDRESS) socket.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startMs = performance.now();
    const { core, router, page } = this.#options;
    // A client that goes away in the middle is no fault of ours.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    const method = request.method ?? "";
    let route = "other";
    response.once("close", () => {
      const seconds = (performance.now() - startMs) / 1000;
      core.metrics.request({
        ...{ route, seconds, status: response.statusCode },
        method: KNOWN_METHODS.includes(method) ? method : "other",
      });
    });
    if (this.#isStopping) response.shouldKeepAlive = false;
    try {
      const url = parseTarget(request.url ?? "");
      const match = router.find(method, url.pathname);
      if (match === undefined) {
        route = "page";
        const isForPage = !isApi(url.pathname) && (await page?.(request, response));
        if (isForPage !== true) throw notFound();
        return;
      }
      route = match.route.path;
      send(response, await this.#answer(match, request, url));
    } catch (error) {
      this.#sendError(request, response, error);
    }
  }

  async #answer({ route, parameters }: Match, raw: IncomingMessage, url: URL): Promise<ApiAnswer> {
    const { operator, identity } = this.#options;
    const from = plainAddress(raw.socket.remoteAddress ?? "");
    if (route.caller === "operator") await operator.authorize(raw.headers.authorization, from);
    const node = route.caller === "node" ? identity.check(raw) : "";
    const json = route.bodyLimitBytes > 0 ? await readJson(raw, route.bodyLimitBytes) : undefined;
    const query = url.searchParams;
    return await route.handle({ raw, parameters, query, from, node, body: undefined }, json);
  }

  #sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { status, body } = describeError(error);
    if (status === 500) {
      this.#options.core.log.error("Request failed", { error: errorText(error) });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (!request.complete) closeSoon(request, response);
    if (body.retryAfterS !== undefined) response.setHeader("retry-after", body.retryAfterS);
    send(response, { status, json: body });
  }
}

const KNOWN_METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "DELETE"];

function send(response: ServerResponse, answer: ApiAnswer): void {
  if ("take" in answer) {
    answer.take(response);
    return;
  }
  if ("json" in answer) {
    const bytes = Buffer.from(JSON.stringify(answer.json));
    const headers = { "content-type": "application/json", "content-length": bytes.length };
    response.writeHead(answer.status, { ...SECURITY, ...headers });
    response.end(bytes);
    return;
  }
  response.writeHead(answer.status, { ...SECURITY, ...answer.headers });
  const { content } = answer;
  if (!(content instanceof Readable)) {
    response.end(content);
    return;
  }
  content.on("error", () => response.destroy());
  response.on("close", () => content.destroy());
  content.pipe(response);
}

/** The rest of a body nobody wants is neither read nor waited for: the connection ends with the answer. */
function closeSoon(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("connection", "close");
  const { socket } = request;
  response.once("finish", () => setTimeout(() => socket.destroy(), LINGER_MS).unref());
}

function parseTarget(target: string): URL {
  const isPath = target.startsWith("/") && !target.startsWith("//");
  const url = isPath ? URL.parse(target, "https://node0") : null;
  if (url === null) throw notFound();
  return url;
}

function isApi(path: string): boolean {
  return path.startsWith("/v1/");
}

function notFound(): RequestError {
  return new RequestError(404, "E_NOT_FOUND", "Cannot find the path: expected one of the API");
}
