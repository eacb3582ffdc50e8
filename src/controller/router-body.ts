import type { IncomingMessage } from "node:http";
import { RequestError } from "./server-errors.ts";

/** Longest time a JSON body may take, from its head on: who drips is cut off. */
const JSON_LIMIT_MS = 10_000;

/** The same for an upload of 64 MiB. */
const UPLOAD_LIMIT_MS = 120_000;

/**
 * Reads a JSON body; an empty one is an empty object.
 *
 * @throws RequestError 400 `E_JSON` | `E_BODY_TIME`, 413 `E_BODY_SIZE`
 */
export async function readJson(request: IncomingMessage, limitBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBody(request, { limitBytes, limitMs: JSON_LIMIT_MS })) {
    chunks.push(chunk);
  }
  if (chunks.length === 0) return {};
  const bytes = Buffer.concat(chunks);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new RequestError(400, "E_JSON", "Cannot read the body: it is not JSON in UTF-8");
  }
}

/** The body of an upload, piece by piece. @throws as {@link readJson}. */
export function readUpload(
  request: IncomingMessage,
  limitBytes: number,
): AsyncGenerator<Buffer, void> {
  return readBody(request, { limitBytes, limitMs: UPLOAD_LIMIT_MS });
}

async function* readBody(
  request: IncomingMessage,
  { limitBytes, limitMs }: { readonly limitBytes: number; readonly limitMs: number },
): AsyncGenerator<Buffer, void> {
  const tooLarge = (): RequestError =>
    new RequestError(
      413,
      "E_BODY_SIZE",
      `Cannot take the body: expected at most ${limitBytes} bytes`,
    );
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) throw tooLarge();
  let isLate = false;
  let size = 0;
  const timer = setTimeout(() => {
    isLate = true;
    // Ends the loop below; the socket stays for the answer.
    request.destroy();
  }, limitMs);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > limitBytes) throw tooLarge();
      yield chunk as Buffer;
    }
  } catch (error) {
    if (error instanceof RequestError) throw error;
    const what = isLate ? `not whole within ${limitMs / 1000} s` : "the connection broke";
    throw new RequestError(400, "E_BODY_TIME", `Cannot read the body: ${what}`);
  } finally {
    clearTimeout(timer);
  }
}
