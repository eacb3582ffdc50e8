import type { IncomingMessage, ServerResponse } from "node:http";
import { plainAddress } from "../server-address.ts";
import type { Html } from "./html.ts";

const FORM_LIMIT_BYTES = 16 * 1024;
const FORM_LIMIT_MS = 10_000;

/** `__Host-`: browsers take it over HTTPS only, for this host only, and no other host can set it. */
const COOKIE = "__Host-node0-session";

/**
 * Everything comes from this server and nothing is inline. `same-origin` for the referrer, because
 * browsers send `Origin: null` with forms where there is none at all.
 */
const SECURITY: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

export type Headers = Readonly<Record<string, string | number>>;

export function sendPage(
  response: ServerResponse,
  status: number,
  page: Html,
  headers: Headers = {},
): void {
  send(response, status, Buffer.from(page.toString()), {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    ...headers,
  });
}

/** Sends the browser to another page of ours with a GET. */
export function redirect(response: ServerResponse, path: string, headers: Headers = {}): void {
  send(response, 303, Buffer.alloc(0), { location: path, "cache-control": "no-store", ...headers });
}

export function send(
  response: ServerResponse,
  status: number,
  body: Buffer,
  headers: Headers,
): void {
  response.writeHead(status, { ...SECURITY, ...headers, "content-length": body.length });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/** Opens a stream of server-sent events. */
export function startEvents(response: ServerResponse): void {
  response.writeHead(200, {
    ...SECURITY,
    "content-type": "text/event-stream",
    "cache-control": "no-store",
  });
  response.write("retry: 2000\n\n");
}

export function sessionCookie(id: string): Headers {
  return { "set-cookie": `${COOKIE}=${id}; Path=/; Secure; HttpOnly; SameSite=Strict` };
}

export function noSessionCookie(): Headers {
  return { "set-cookie": `${COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0` };
}

/** Value of the session cookie; empty without one. */
export function readSessionId(request: IncomingMessage): string {
  for (const pair of (request.headers.cookie ?? "").split(";")) {
    const [name = "", value = ""] = pair.trim().split("=");
    if (name === COOKIE) return value;
  }
  return "";
}

/** Address of the other side of the connection. */
export function addressOf(request: IncomingMessage): string {
  return plainAddress(request.socket.remoteAddress ?? "");
}

/**
 * Whether a request can have been sent by one of our own pages. Browsers say where a form comes from;
 * programs that say nothing are held back by the token of the form alone.
 */
export function isOwnForm(request: IncomingMessage): boolean {
  const { origin, host, "sec-fetch-site": site } = request.headers;
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  return origin === undefined || (host !== undefined && origin === `https://${host}`);
}

/** Reads a form; undefined when it is none, is too large, or does not end in time. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim();
  if (type !== "application/x-www-form-urlencoded") return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  const limit = setTimeout(() => request.destroy(), FORM_LIMIT_MS);
  try {
    // Not destroyed when it is too large: the browser shall see the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > FORM_LIMIT_BYTES) return undefined;
      chunks.push(chunk as Buffer);
    }
  } catch {
    // The browser went away in the middle of it, or was too slow.
    return undefined;
  } finally {
    clearTimeout(limit);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}
