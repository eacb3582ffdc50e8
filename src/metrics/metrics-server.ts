import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { TEXT_CONTENT_TYPE } from "./text.ts";

export interface MetricsServerOptions {
  /** Makes the text. Called by one reader at a time; those who come meanwhile get the same. */
  readonly render: () => Promise<string>;
  /** Told when `render` fails. */
  readonly onError: (error: unknown) => void;
}

/**
 * Serves `GET /metrics` and nothing else. Reading needs no password, so the caller opens it only where
 * strangers do not come.
 */
export class MetricsServer {
  readonly #options: MetricsServerOptions;
  readonly #servers = new Set<Server>();
  #pending: Promise<string> | null = null;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
  }

  /** Resolves with what closes the address again. @throws when it cannot be opened. */
  async listen(host: string, port: number): Promise<() => void> {
    const server = createServer(LIMITS, (request, response) => {
      this.#answer(request, response);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.maxHeadersCount = MAX_HEADERS;
    server.setTimeout(SOCKET_TIMEOUT_MS, (socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, ipv6Only: true }, () => {
        server.off("error", reject);
        // Later errors concern single connections.
        server.on("error", () => {});
        resolve();
      });
    });
    this.#servers.add(server);
    return () => {
      this.#servers.delete(server);
      server.close();
      server.closeAllConnections();
    };
  }

  stop(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    this.#servers.clear();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // Nothing here has a body; a request that brings one is not worth keeping the connection.
    if (request.headers["content-length"] !== undefined || hasBody(request)) {
      response.shouldKeepAlive = false;
    }
    request.resume();
    const path = (request.url ?? "").split("?")[0];
    if (path !== "/metrics") refuse(response, 404, "Only /metrics is here");
    else if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      refuse(response, 405, "Metrics can only be read");
    } else void this.#send(request, response);
  }

  async #send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      this.#pending ??= this.#options.render().finally(() => {
        this.#pending = null;
      });
      const text = await this.#pending;
      response.writeHead(200, {
        "Content-Type": TEXT_CONTENT_TYPE,
        "Content-Length": Buffer.byteLength(text),
      });
      response.end(request.method === "HEAD" ? undefined : text);
    } catch (error) {
      this.#options.onError(error);
      refuse(response, 500, "Metrics cannot be collected");
    }
  }
}

const MAX_CONNECTIONS = 32;
const MAX_HEADERS = 100;
const SOCKET_TIMEOUT_MS = 30_000;

const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 5000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 20_000,
} as const;

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined;

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${why}\n`);
}
