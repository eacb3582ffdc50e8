import { isUtf8 } from "node:buffer";
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
  const bytes = await readWhole(request, { limitBytes, limitMs: JSON_LIMIT_MS });
  if (bytes.length === 0) return {};
  // The decoder of texts would replace what is not UTF-8.
  if (isUtf8(bytes)) {
    try {
      return JSON.parse(bytes.toString("utf8"));
    } catch {
      // Told below.
    }
  }
  throw new RequestError(400, "E_JSON", "Cannot read the body: it is not JSON in UTF-8");
}

interface BodyLimits {
  readonly limitBytes: number;
  readonly limitMs: number;
}

/** With listeners: an iterator costs a tenth of what a small request costs in all. */
function readWhole(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { limitBytes, limitMs } = limits;
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > limitBytes) {
      reject(tooLarge(limitBytes));
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    let isSettled = false;
    /** @returns False when the body has come to its end before. */
    const settle = (): boolean => {
      if (isSettled) return false;
      isSettled = true;
      clearTimeout(timer);
      return true;
    };
    const timer = setTimeout(() => {
      if (settle()) reject(broken(lateText(limitMs)));
    }, limitMs);
    // Listeners stay: taking them off costs more than calls that do nothing.
    request.on("data", (chunk: Buffer) => {
      if (isSettled) return;
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limitBytes) return;
      settle();
      request.pause();
      reject(tooLarge(limitBytes));
    });
    request.once("end", () => {
      if (settle()) resolve(joined(chunks));
    });
    request.once("close", () => {
      if (settle()) reject(broken("the connection broke"));
    });
  });
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

/** The body of an upload, piece by piece. @throws as {@link readJson}. */
export async function* readUpload(
  request: IncomingMessage,
  limitBytes: number,
): AsyncGenerator<Buffer, void> {
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  let isLate = false;
  let size = 0;
  const timer = setTimeout(() => {
    isLate = true;
    // Ends the loop below; the socket stays for the answer.
    request.destroy();
  }, UPLOAD_LIMIT_MS);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > limitBytes) throw tooLarge(limitBytes);
      yield chunk as Buffer;
    }
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw broken(isLate ? lateText(UPLOAD_LIMIT_MS) : "the connection broke");
  } finally {
    clearTimeout(timer);
  }
}

function lateText(limitMs: number): string {
  return `not whole within ${limitMs / 1000} s`;
}

function broken(what: string): RequestError {
  return new RequestError(400, "E_BODY_TIME", `Cannot read the body: ${what}`);
}

function tooLarge(limitBytes: number): RequestError {
  return new RequestError(
    413,
    "E_BODY_SIZE",
    `Cannot take the body: expected at most ${limitBytes} bytes`,
  );
}
