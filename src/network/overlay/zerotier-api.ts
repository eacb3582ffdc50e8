import type { Clock } from "../../base/clock.ts";
import { AgentError, errorCode, errorText } from "../../base/errors.ts";
import type { Files } from "../../sys/files.ts";
import type { ApiTrouble, ZeroTierObject, ZeroTierService } from "./types.ts";

export interface ZeroTierApiOptions {
  readonly files: Files;
  readonly clock: Clock;
  /** Directory of the service: the token and, once it listens, its port are there. */
  readonly home: string;
  /** Used until the service has written its port down. Default 9993. */
  readonly port?: () => number;
  /** For each call. Default 3 s. */
  readonly limitMs?: number;
}

export const ZEROTIER_PORT = 9993;

const LIMIT_MS = 3000;
const MAX_ANSWER_BYTES = 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly text: string;
}

type Method = "GET" | "POST" | "DELETE";

/** Talks HTTP to the ZeroTier service of this machine. The token stays inside. */
export class ZeroTierApi implements ZeroTierService {
  readonly #options: ZeroTierApiOptions;

  constructor(options: ZeroTierApiOptions) {
    this.#options = options;
  }

  async status(): Promise<ZeroTierObject> {
    return asObject("/status", await this.#json("GET", "/status"));
  }

  async networks(): Promise<readonly ZeroTierObject[]> {
    const value = await this.#json("GET", "/network");
    if (!Array.isArray(value)) throw unexpected("/network", "an array");
    return value.map((item) => asObject("/network", item));
  }

  async network(id: string): Promise<ZeroTierObject | undefined> {
    const path = `/network/${id}`;
    const value = await this.#json("GET", path);
    return value === undefined ? undefined : asObject(path, value);
  }

  async join(id: string): Promise<void> {
    const path = `/network/${id}`;
    asObject(path, await this.#json("POST", path, "{}"));
  }

  async leave(id: string): Promise<boolean> {
    return (await this.#json("DELETE", `/network/${id}`)) !== undefined;
  }

  async orbit(id: string, seed: string): Promise<void> {
    const path = `/moon/${id}`;
    asObject(path, await this.#json("POST", path, JSON.stringify({ seed })));
  }

  async deorbit(id: string): Promise<boolean> {
    return (await this.#json("DELETE", `/moon/${id}`)) !== undefined;
  }

  /** Undefined for an object the service does not have. */
  async #json(method: Method, path: string, body = ""): Promise<unknown> {
    const { status, text } = await this.#ask(method, path, body);
    if (status === 404) return undefined;
    if (status === 401 || status === 403) {
      throw trouble("token", path, "the service refused the token of authtoken.secret");
    }
    if (status !== 200) throw trouble("answer", path, `status ${status} seen, expected 200`);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw unexpected(path, "JSON");
    }
  }

  async #ask(method: Method, path: string, body: string): Promise<Answer> {
    const { files, home, clock, limitMs = LIMIT_MS } = this.#options;
    const token = files.readText(`${home}/authtoken.secret`)?.trim() ?? "";
    // Anything else in a header would be refused by Node with the value in the message.
    if (!/^[\x21-\x7e]+$/.test(token)) throw trouble("starting", path, "it made no token yet");
    // An import of it would run its lazy members too, among them a whole WebSocket client: 15 MiB.
    const { request } = process.getBuiltinModule("node:http");
    return new Promise((resolve, reject) => {
      const fail = (error: AgentError): void => {
        cancel();
        reject(error);
        call.destroy();
      };
      const cancel = clock.after(limitMs, () => {
        fail(trouble("silent", path, `no answer within ${limitMs / 1000} s`));
      });
      const headers = { "X-ZT1-Auth": token, "Content-Length": Buffer.byteLength(body) };
      const port = this.#port();
      const call = request(
        { host: "127.0.0.1", port, method, path, headers, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on("data", (chunk: Buffer) => {
            size += chunk.length;
            chunks.push(chunk);
            if (size > MAX_ANSWER_BYTES) fail(unexpected(path, "less than 1 MiB"));
          });
          response.on("error", (cause) => fail(trouble("answer", path, errorText(cause))));
          response.on("end", () => {
            cancel();
            const text = Buffer.concat(chunks).toString("utf8");
            resolve({ status: response.statusCode ?? 0, text });
          });
        },
      );
      call.on("error", (cause) => fail(connectionTrouble(path, port, cause)));
      call.end(body);
    });
  }

  #port(): number {
    const text = this.#options.files.readText(`${this.#options.home}/zerotier-one.port`) ?? "";
    const port = Number(text.trim() || Number.NaN);
    const isPort = Number.isInteger(port) && port > 0 && port < 65_536;
    return isPort ? port : (this.#options.port?.() ?? ZEROTIER_PORT);
  }
}

function connectionTrouble(path: string, port: number, cause: unknown): AgentError {
  return errorCode(cause) === "ECONNREFUSED"
    ? trouble("starting", path, `nothing listens on 127.0.0.1:${port}`)
    : trouble("answer", path, errorText(cause));
}

function unexpected(path: string, wanted: string): AgentError {
  return trouble("answer", path, `the answer is not ${wanted}`);
}

function asObject(path: string, value: unknown): ZeroTierObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as ZeroTierObject;
  }
  throw unexpected(path, "an object");
}

function trouble(kind: ApiTrouble, path: string, why: string): AgentError {
  const message = `Cannot ask the ZeroTier service for ${path}: ${why}`;
  return new AgentError("E_OVERLAY_API", message, { fields: { kind, why } });
}
