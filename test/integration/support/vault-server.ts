import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { DatedCa, DatedCertificate } from "./dated-ca.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface VaultServer {
  readonly url: string;
  readonly port: number;
  handler: Handler;
  /** `GET /path`, in order. */
  readonly asked: string[];
  /** Connections that are open now. */
  connections(): number;
  close(): Promise<void>;
}

/** A controller of TLS 1.3 for tests, which answers what it is told to. Client certificates are looked at, not required. */
export async function openVaultServer(options: {
  readonly ca: DatedCa;
  readonly identity: DatedCertificate;
  readonly handler: Handler;
  readonly port?: number;
  readonly host?: string;
}): Promise<VaultServer> {
  const { ca, identity, port = 0, host = "127.0.0.1" } = options;
  const server = createServer({
    cert: identity.certificate,
    key: identity.key,
    ca: ca.certificate,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
  });
  server.on("tlsClientError", () => undefined);
  const sockets = countSockets(server);
  const asked: string[] = [];
  const opened = { handler: options.handler };
  server.on("request", (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      opened.handler(request, response, Buffer.concat(parts).toString("utf8"));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const address = server.address() as AddressInfo;
  return Object.assign(opened, {
    url: `https://127.0.0.1:${address.port}`,
    port: address.port,
    asked,
    connections: () => sockets.size,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
      }),
  });
}

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

/** Common name of the client certificate, if the authority of the server vouches for it now. */
export function clientName(request: IncomingMessage): string | undefined {
  const socket = request.socket as TLSSocket;
  return socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined;
}

function countSockets(server: Server): Set<{ destroy(): void }> {
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  return sockets;
}
