import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type Agent, request as requestHttps } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
const MAIN = join(ROOT, "src/main.ts");

export interface ClientIdentity {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Undefined where it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of all routes, members are what tests check
  readonly json: any;
}

export interface AskOptions {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: Buffer | string;
  /** Adds the token. */
  readonly operator?: boolean;
  readonly token?: string;
  readonly identity?: ClientIdentity;
  readonly agent?: Agent;
  /** Where the request comes from; every address of 127.0.0.0/8 is there. */
  readonly localAddress?: string;
}

/** A controller of its own process and directory, for tests. */
export class TestController {
  readonly directory: string;
  url = "";
  readonly #words: readonly string[];
  #process: ChildProcess | undefined;
  #output = "";

  constructor(
    directory = mkdtempSync(join(tmpdir(), "node0-controller-")),
    words: readonly string[] = [],
  ) {
    this.directory = directory;
    this.#words = words;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get ca(): string {
    return readFileSync(join(this.directory, "ca.crt"), "utf8");
  }

  get token(): string {
    return readFileSync(join(this.directory, "operator-token"), "utf8").trim();
  }

  /** All it printed. */
  get output(): string {
    return this.#output;
  }

  async start(listen = "127.0.0.1:0"): Promise<this> {
    const words = ["controller", "serve", "--dir", this.directory, "--listen", listen];
    const child = spawn(process.execPath, [MAIN, ...words, ...this.#words], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const take = (chunk: Buffer): void => {
      this.#output += chunk.toString();
      const url = /"url":"([^"]+)".*Controller serves/.exec(this.#output)?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", () => reject(new Error(`controller ended: ${this.#output}`)));
    this.url = await promise;
    return this;
  }

  /** @returns Exit code, or the signal. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | string | null> {
    const child = this.#process;
    if (child === undefined) return null;
    this.#process = undefined;
    this.#output = "";
    const { promise, resolve } = Promise.withResolvers<number | string | null>();
    if (child.exitCode !== null) return child.exitCode;
    child.once("exit", (code, by) => resolve(code ?? by));
    child.kill(signal);
    return await promise;
  }

  async remove(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.directory, { recursive: true, force: true });
  }

  async ask(method: string, path: string, options: AskOptions = {}): Promise<Reply> {
    const token = options.token ?? (options.operator === true ? this.token : undefined);
    const body = options.raw ?? (options.body === undefined ? "" : JSON.stringify(options.body));
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const request = requestHttps(
      new URL(path, this.url),
      {
        method,
        ca: this.ca,
        agent: options.agent ?? false,
        ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
        ...options.identity,
        headers: {
          "content-length": Buffer.byteLength(body),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, text, json: parse(text) });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
    return await promise;
  }

  unlock(macs: readonly string[], options: AskOptions = {}): Promise<Reply> {
    const body = { ...UNLOCK, macs };
    return this.ask("POST", "/v1/unlock", { body, ...options });
  }

  /** Registers, approves and gives a key. @returns The id. */
  async addNode(mac: string, key = Buffer.alloc(32, 1).toString("base64")): Promise<string> {
    const { json } = await this.ask("POST", "/v1/nodes", { operator: true, body: { macs: [mac] } });
    const id = json.id as string;
    await this.ask("POST", `/v1/nodes/${id}/approve`, { operator: true, body: {} });
    const raw = `${JSON.stringify({ key })}\nciphertext of ${mac}`;
    await this.ask("POST", `/v1/nodes/${id}/private`, { operator: true, raw });
    return id;
  }

  /** A client certificate for a machine. */
  async issue(id: string): Promise<ClientIdentity & { readonly serial: string }> {
    const { csr, key } = makeRequest();
    const path = `/v1/nodes/${id}/certificate`;
    const { json } = await this.ask("POST", path, { operator: true, body: { csr } });
    const cert = json.certificate as string;
    return { cert, key, serial: new X509Certificate(cert).serialNumber };
  }

  // biome-ignore lint/suspicious/noExplicitAny: see Reply
  async auditLines(): Promise<any[]> {
    // biome-ignore lint/suspicious/noExplicitAny: see Reply
    const all: any[] = [];
    for (;;) {
      const path: string = `/v1/audit?after=${all.length}&limit=1000`;
      const { entries } = (await this.ask("GET", path, { operator: true })).json;
      if (entries.length === 0) return all;
      all.push(...entries);
    }
  }
}

export const UNLOCK = {
  serial: "S1",
  vendor: "QEMU",
  product: "Standard PC",
  overlayId: "0123456789",
  version: "0.1.0",
};

export const HEARTBEAT = {
  version: "0.1.0",
  hostname: "node0-test",
  uptimeS: 12,
  addresses: ["eth0 192.0.2.7/24"],
  phases: [
    { phase: "system", state: "done", startMs: 1, endMs: 2, attempts: 1, reason: "" },
    { phase: "network", state: "running", startMs: 2, endMs: null, attempts: 1, reason: "" },
  ],
};

/** A PKCS #10 request made by openssl, with its key. */
export function makeRequest(): { readonly csr: string; readonly key: string } {
  const directory = mkdtempSync(join(tmpdir(), "node0-csr-"));
  const [csr, key] = [join(directory, "csr"), join(directory, "key")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  execFileSync(
    "openssl",
    ["req", "-new", ...curve, "-keyout", key, "-out", csr, "-subj", "/CN=x"],
    {
      stdio: "ignore",
    },
  );
  const made = { csr: readFileSync(csr, "utf8"), key: readFileSync(key, "utf8") };
  rmSync(directory, { recursive: true });
  return made;
}

/** Runs `node0 controller …` to its end. @returns What it printed. @throws when it fails. */
export function runController(words: readonly string[]): string {
  return execFileSync(process.execPath, [MAIN, "controller", ...words], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
