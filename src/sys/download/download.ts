import { type FileHandle, statfs } from "node:fs/promises";
import type { ClientRequest, IncomingMessage } from "node:http";
import { AgentError, errorText } from "../../base/errors.ts";
import { openOutputFile } from "../output-file.ts";
import { readMemInfo } from "../proc/mem-info.ts";
import type { DownloadRequest } from "./messages.ts";

const FILE_MODE = 0o660;
const MAX_REDIRECTS = 10;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** Magic numbers of ramfs and tmpfs. Source: <linux/magic.h>. */
const MEMORY_FILE_SYSTEMS: readonly number[] = [0x85_84_58_f6, 0x01_02_19_94];

/**
 * Stores what a URL gives in a file, whatever the status of the answer says. The file is made, or
 * emptied, before anybody is asked. What came before a failure stays in it.
 *
 * @param progress Called with every piece.
 * @returns Bytes stored.
 * @throws AgentError `E_DOWNLOAD`, `E_FILE`
 */
export async function download(request: DownloadRequest, progress: () => void): Promise<number> {
  const url = parseUrl(request.url, undefined);
  const file = await openOutputFile(request.destination, FILE_MODE);
  const signal = AbortSignal.timeout(request.limits.totalMs);
  try {
    const answer = await follow(url, request, signal);
    return await store({ answer, file, request, progress });
  } catch (error) {
    const isLate = signal.aborted;
    const seen = isLate ? `not done after ${request.limits.totalMs / 1000} s` : errorText(error);
    throw error instanceof AgentError && !isLate ? error : failure(url, seen);
  } finally {
    await file.close();
  }
}

async function follow(
  first: URL,
  { limits }: DownloadRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let url = first;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await ask(url, limits.stallMs, signal);
    const target = answer.headers.location;
    if (!REDIRECTS.includes(answer.statusCode ?? 0) || target === undefined) return answer;
    answer.destroy();
    if (redirects >= MAX_REDIRECTS) throw failure(first, `more than ${MAX_REDIRECTS} redirects`);
    url = parseUrl(target, url);
  }
}

function ask(url: URL, stallMs: number, signal: AbortSignal): Promise<IncomingMessage> {
  const { get } = process.getBuiltinModule(url.protocol === "https:" ? "node:https" : "node:http");
  return new Promise((resolve, reject) => {
    const headers = { "user-agent": "node0", "accept-encoding": "identity" };
    let answer: IncomingMessage | undefined;
    const request: ClientRequest = get(url, { agent: false, headers, signal }, (message) => {
      answer = message;
      resolve(message);
    });
    request.setTimeout(stallMs, () => {
      (answer ?? request).destroy(failure(url, `nothing came for ${stallMs / 1000} s`));
    });
    request.once("error", reject);
  });
}

async function store(parts: {
  answer: IncomingMessage;
  file: FileHandle;
  request: DownloadRequest;
  progress: () => void;
}): Promise<number> {
  const { answer, file, request, progress } = parts;
  const limit = Math.min(request.limits.bytes, await roomFor(request.destination));
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) {
      throw new AgentError("E_DOWNLOAD", `Cannot download: more than ${limit} bytes came`);
    }
    await writeAll(file, chunk);
    progress();
  }
  return bytes;
}

/** Files in memory may take half of what is left of it: the machine has no other disk to fall back on. */
async function roomFor(path: string): Promise<number> {
  const { type } = await statfs(path);
  if (!MEMORY_FILE_SYSTEMS.includes(type)) return Number.POSITIVE_INFINITY;
  return Math.floor(readMemInfo().available / 2);
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done);
    done += bytesWritten;
  }
}

/** @param base Where a redirect came from. A redirect must not give up the protection of TLS. */
function parseUrl(text: string, base: URL | undefined): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    const what = base === undefined ? "" : ` ${base.origin}: redirect to`;
    const seen = url === undefined ? "no URL" : url.protocol;
    throw new AgentError("E_DOWNLOAD", `Cannot download${what} ${seen}, expected http or https`);
  }
  if (base?.protocol === "https:" && url.protocol === "http:") {
    throw failure(base, `redirect from https to http, ${url.origin}`);
  }
  return url;
}

/** Path and query are left out: they may hold what gives access. */
function failure(url: URL, seen: string): AgentError {
  return new AgentError("E_DOWNLOAD", `Cannot download from ${url.origin}: ${seen}`);
}
