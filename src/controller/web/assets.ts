import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { send } from "./http.ts";

const TYPES: Readonly<Record<string, string>> = {
  "/assets/page.css": "text/css; charset=utf-8",
  "/assets/page.js": "text/javascript; charset=utf-8",
  "/assets/icon.svg": "image/svg+xml",
};

interface Asset {
  readonly body: Buffer;
  readonly etag: string;
}

/** Read with the first request for each. */
const assets = new Map<string, Asset>();

/** Answers a request for one of the files of the page. @returns False for any other path. */
export function sendAsset(response: ServerResponse, path: string): boolean {
  const type = TYPES[path];
  if (type === undefined) return false;
  const { body, etag } = readAsset(path);
  const headers = { "content-type": type, "cache-control": "no-cache", etag };
  if (response.req.headers["if-none-match"] === etag) send(response, 304, Buffer.alloc(0), headers);
  else send(response, 200, body, headers);
  return true;
}

function readAsset(path: string): Asset {
  const known = assets.get(path);
  if (known !== undefined) return known;
  const body = readFileSync(join(import.meta.dirname, path));
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 20)}"`;
  const asset = { body, etag };
  assets.set(path, asset);
  return asset;
}
