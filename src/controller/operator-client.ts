import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";
import { AgentError, errorText } from "../base/errors.ts";
import { plainTlsReason } from "../network/tls-reasons.ts";
import { type OperatorTarget, readTarget, type Target } from "./operator-target.ts";
import type { AuditEntry, NodeRecord, Policy } from "./types.ts";

/** Longest time in which nothing moves. */
const LIMIT_MS = 30_000;

/** Largest answer accepted: a list of 10 000 machines with their heartbeats fits. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

/** Ciphertext of a private configuration, whole or in pieces. */
export type TarSource = Uint8Array | AsyncIterable<Uint8Array>;

export interface UploadResult {
  readonly revision: number;
  /** Of the ciphertext, hexadecimal. */
  readonly sha256: string;
}

export interface IssuedClientCertificate {
  /** PEM, both. */
  readonly certificate: string;
  readonly ca: string;
}

interface Ask {
  readonly body?: unknown;
  /** Sent as it is instead of `body`. */
  readonly raw?: Readable;
}

/**
 * The operators' side of a controller over HTTPS: its certificate is checked against the CA of the
 * target alone, the operator token goes into the header.
 *
 * Every method throws AgentError: `E_CONTROLLER_TARGET` (files of the target), `E_CONTROLLER_UNREACHABLE`
 * (no connection, wrong certificate, time limit), `E_CONTROLLER_ANSWER` (not what the API says), or the
 * code the controller answered, with its status in the field `status`.
 */
export class OperatorClient {
  readonly #from: OperatorTarget;
  readonly #limitMs: number;
  #target: Target | undefined;

  constructor(target: OperatorTarget, { limitMs = LIMIT_MS }: { readonly limitMs?: number } = {}) {
    this.#from = target;
    this.#limitMs = limitMs;
  }

  async listNodes(): Promise<readonly NodeRecord[]> {
    return list<NodeRecord>(await this.#ask("GET", "/v1/nodes"), "nodes");
  }

  async getNode(id: string): Promise<NodeRecord> {
    return (await this.#ask("GET", nodePath(id))) as NodeRecord;
  }

  /** Makes a machine known before its first boot; `overlayAddress` is what policy `overlay` asks for. */
  async registerNode(node: {
    readonly macs: readonly string[];
    readonly overlayAddress?: string;
  }): Promise<NodeRecord> {
    return (await this.#ask("POST", "/v1/nodes", { body: node })) as NodeRecord;
  }

  async approve(id: string, note?: string): Promise<NodeRecord> {
    return await this.#decide(id, "approve", note);
  }

  async reject(id: string, note?: string): Promise<NodeRecord> {
    return await this.#decide(id, "reject", note);
  }

  async revoke(id: string, note?: string): Promise<NodeRecord> {
    return await this.#decide(id, "revoke", note);
  }

  /** Forgets a machine and its private configuration. */
  async remove(id: string): Promise<void> {
    await this.#ask("DELETE", nodePath(id));
  }

  async issueCertificate(id: string, csrPem: string): Promise<IssuedClientCertificate> {
    const answer = await this.#ask("POST", `${nodePath(id)}/certificate`, {
      body: { csr: csrPem },
    });
    return answer as IssuedClientCertificate;
  }

  /** @param serial Serial number of a client certificate, hexadecimal. */
  async revokeCertificate(id: string, serial: string): Promise<void> {
    await this.#ask("POST", `${nodePath(id)}/revoke-certificate`, { body: { serial } });
  }

  /**
   * Stores key and ciphertext together.
   *
   * @param key 32 bytes in base64.
   * @param tar The ciphertext directory as an uncompressed tar archive.
   */
  async uploadPrivate(id: string, key: string, tar: TarSource): Promise<UploadResult> {
    const raw = Readable.from(uploadBody(key, tar), { objectMode: false });
    return (await this.#ask("POST", `${nodePath(id)}/private`, { raw })) as UploadResult;
  }

  async policy(): Promise<Policy> {
    return ((await this.#ask("GET", "/v1/policy")) as { policy: Policy }).policy;
  }

  async setPolicy(policy: Policy): Promise<void> {
    await this.#ask("PUT", "/v1/policy", { body: { policy } });
  }

  /** Entries with a sequence number above `after`, oldest first. */
  async audit(after = 0, limit = 100): Promise<readonly AuditEntry[]> {
    return list<AuditEntry>(
      await this.#ask("GET", `/v1/audit?after=${after}&limit=${limit}`),
      "entries",
    );
  }

  async #decide(id: string, verb: string, note: string | undefined): Promise<NodeRecord> {
    const body = note === undefined ? {} : { note };
    return (await this.#ask("POST", `${nodePath(id)}/${verb}`, { body })) as NodeRecord;
  }

  async #ask(method: string, path: string, { body, raw }: Ask = {}): Promise<unknown> {
    this.#target ??= await readTarget(this.#from);
    const json = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { status, text } = await exchange(this.#target, {
      method,
      path,
      limitMs: this.#limitMs,
      type: raw === undefined ? "application/json" : "application/octet-stream",
      ...(json === undefined ? {} : { json }),
      ...(raw === undefined ? {} : { raw }),
    });
    return readAnswer(this.#target.url, status, text);
  }
}

function nodePath(id: string): string {
  return `/v1/nodes/${encodeURIComponent(id)}`;
}

async function* uploadBody(key: string, tar: TarSource): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify({ key })}\n`);
  if (tar instanceof Uint8Array) yield tar;
  else yield* tar;
}

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly limitMs: number;
  readonly json?: Buffer;
  readonly raw?: Readable;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One request, one answer, one connection: a tool that has finished must not be kept by a socket. */
async function exchange(target: Target, ask: Exchange): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const fail = (reason: string): void =>
    reject(
      new AgentError(
        "E_CONTROLLER_UNREACHABLE",
        `Cannot reach the controller ${target.url}: ${reason}`,
      ),
    );
  const { json, raw } = ask;
  const request = requestHttps(new URL(ask.path, target.url), {
    method: ask.method,
    ca: target.ca,
    minVersion: "TLSv1.3",
    agent: false,
    headers: {
      accept: "application/json",
      authorization: `Bearer ${target.token}`,
      ...(json === undefined ? {} : { "content-length": json.length }),
      ...(json === undefined && raw === undefined ? {} : { "content-type": ask.type }),
    },
  });
  // Not the time limit of the socket: that one begins when TLS is set up.
  const limit = setTimeout(() => {
    fail(`no answer within ${ask.limitMs / 1000} s`);
    request.destroy();
  }, ask.limitMs);
  request.on("error", (error) => fail(plainTlsReason(error, target.caName)));
  request.on("response", (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on("data", (chunk: Buffer) => {
      limit.refresh();
      size += chunk.length;
      chunks.push(chunk);
      if (size <= ANSWER_LIMIT_BYTES) return;
      fail(`an answer of more than ${ANSWER_LIMIT_BYTES} bytes`);
      request.destroy();
    });
    response.on("error", (error) => fail(errorText(error)));
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
    );
  });
  if (raw === undefined) request.end(json);
  else {
    raw.on("error", (error) => {
      reject(error);
      request.destroy();
    });
    raw.on("data", () => limit.refresh());
    raw.pipe(request);
  }
  try {
    return await promise;
  } finally {
    clearTimeout(limit);
    raw?.destroy();
  }
}

function readAnswer(url: string, status: number, text: string): unknown {
  const value = parseJson(text);
  if (status >= 200 && status < 300) {
    if (value !== undefined || text === "") return value;
    throw new AgentError(
      "E_CONTROLLER_ANSWER",
      `Cannot use the answer of ${url}: no JSON, expected the API of a controller`,
    );
  }
  const { code, message } = (value ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string" && typeof message === "string") {
    throw new AgentError(code, message, { fields: { status } });
  }
  throw new AgentError(
    "E_CONTROLLER_ANSWER",
    `Cannot use the answer of ${url}: status ${status}, expected the API of a controller`,
    { fields: { status } },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told by the caller, which knows the status.
    return undefined;
  }
}

function list<T>(answer: unknown, member: string): readonly T[] {
  const items = (answer as Record<string, unknown> | null)?.[member];
  if (Array.isArray(items)) return items as T[];
  throw new AgentError(
    "E_CONTROLLER_ANSWER",
    `Cannot use the answer of the controller: no list, expected ${member}`,
  );
}
