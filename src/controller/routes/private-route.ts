import type { IncomingMessage } from "node:http";
import { type Route, withoutBody } from "../router.ts";
import { readUpload } from "../router-body.ts";
import type { Core } from "../server-core.ts";
import { RequestError } from "../server-errors.ts";
import { type Operator, operatorAt } from "../server-operator.ts";
import type { IncomingCiphertext, PrivateRevision } from "../store-private.ts";
import { LIMITS } from "./schemas.ts";

/** Longest first line. */
const HEAD_LIMIT_BYTES = 1024;
const KEY_BYTES = 32;
const MOST_UPLOADS = 8;
const NEWLINE = 0x0a;

/** `POST /v1/nodes/{id}/private`: `{"key":"<base64>"}`, a line end, the ciphertext. */
export function privateRoute(core: Core, operator: Operator): Route {
  const busy = new Set<string>();
  return withoutBody("POST", "/v1/nodes/{id}/private", "operator", async (request) => {
    const id = request.parameters["id"] ?? "";
    operator.get(id);
    if (busy.has(id) || busy.size >= MOST_UPLOADS) {
      throw new RequestError(503, "E_BUSY", "Cannot take the upload: others are under way", 5);
    }
    busy.add(id);
    try {
      const json = await takeUpload(core, operator, { id, from: request.from, raw: request.raw });
      return { status: 200, json };
    } finally {
      busy.delete(id);
    }
  });
}

async function takeUpload(
  core: Core,
  operator: Operator,
  { id, from, raw }: { readonly id: string; readonly from: string; readonly raw: IncomingMessage },
): Promise<PrivateRevision> {
  const { store } = core;
  const incoming = await store.privates.receive();
  let key: Buffer | undefined;
  try {
    key = await receive(raw, incoming);
    const finished = await incoming.finish();
    const change = await store.privates.prepare(id, { path: incoming.path, ...finished });
    const secret = key;
    const stored = store.transaction(() => {
      // It may have been removed during the upload.
      operator.get(id);
      const result = change.commit(secret);
      store.audit.append({
        ...{ action: "private", subject: id, actor: operatorAt(from), outcome: "done" },
        detail: `revision ${result.revision} ${result.sha256}`.trim(),
      });
      return result;
    });
    await store.durable();
    change.forgetOld();
    core.changed(id);
    return stored;
  } catch (error) {
    await incoming.discard();
    throw error;
  } finally {
    key?.fill(0);
  }
}

/** Splits the first line off and passes the rest on. @returns The key, to be wiped. */
async function receive(raw: IncomingMessage, incoming: IncomingCiphertext): Promise<Buffer> {
  let head = Buffer.alloc(0);
  let key: Buffer | undefined;
  for await (const chunk of readUpload(raw, LIMITS.private)) {
    if (key !== undefined) {
      await incoming.write(chunk);
      continue;
    }
    const joined = Buffer.concat([head, chunk]);
    head.fill(0);
    chunk.fill(0);
    head = joined;
    const end = head.indexOf(NEWLINE);
    if (end > HEAD_LIMIT_BYTES || (end < 0 && head.length > HEAD_LIMIT_BYTES)) throw wrongHead();
    if (end < 0) continue;
    key = parseKey(head.subarray(0, end));
    const rest = head.subarray(end + 1);
    if (rest.length > 0) await incoming.write(rest);
    head.fill(0, 0, end);
  }
  if (key === undefined) throw wrongHead();
  return key;
}

function parseKey(line: Buffer): Buffer {
  let text: unknown;
  try {
    text = (JSON.parse(line.toString()) as { key?: unknown } | null)?.key;
  } catch {
    // Told below: what JSON.parse says would show a part of the key.
  }
  const key = typeof text === "string" ? Buffer.from(text, "base64") : Buffer.alloc(0);
  if (key.length === KEY_BYTES && key.toString("base64") === text) return key;
  key.fill(0);
  throw wrongHead();
}

function wrongHead(): RequestError {
  return new RequestError(
    400,
    "E_PRIVATE_HEAD",
    'Cannot take the upload: wrong first line, expected {"key":"<32 bytes in base64>"}',
  );
}
