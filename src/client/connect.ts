import { readFile } from "node:fs/promises";
import { AgentError, errorText } from "../base/errors.ts";
import { Client } from "./client.ts";
import { ConnectionPool } from "./pool.ts";

export interface ConnectOptions {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 6379. */
  readonly port?: number | undefined;
  /** Path of a unix socket; takes the place of host and port. */
  readonly path?: string | undefined;
  readonly password?: string | undefined;
  /** File whose first line is the password. */
  readonly passwordFile?: string | undefined;
  /** Speak TLS. Without `caFile` it keeps listeners out, not somebody who answers in the node's place. */
  readonly tls?: boolean | undefined;
  /** PEM file with the certificate of the node or of who signed it; implies `tls`. */
  readonly caFile?: string | undefined;
  /** Milliseconds for connecting and logging in; default 10000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_PORT = 6379;
/** More than the 5 s a node makes a wrong password wait after repeated failures. */
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Opens a client of one node and makes sure that the node answers and accepts the password.
 *
 * @throws AgentError `E_CONNECT` | `E_AUTH` | `E_PASSWORD_FILE` | `E_CA_FILE` | `E_ABORTED` | `E_DEADLINE`
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const endpoint = {
    host: options.host ?? "127.0.0.1",
    port: options.port ?? DEFAULT_PORT,
    path: options.path ?? "",
  };
  const pool = new ConnectionPool({
    endpoint,
    password: options.password ?? (await readPassword(options.passwordFile)),
    ...(await readTls(options)),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  await pool.use(async () => undefined, options.signal);
  return new Client(pool, endpoint);
}

async function readTls({ tls, caFile }: ConnectOptions): Promise<{ tls?: { ca?: string } }> {
  if (caFile === undefined) return tls === true ? { tls: {} } : {};
  try {
    return { tls: { ca: await readFile(caFile, "utf8") } };
  } catch (cause) {
    throw new AgentError("E_CA_FILE", `Cannot read the certificate file: ${errorText(cause)}`, {
      cause,
      fields: { file: caFile },
    });
  }
}

async function readPassword(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new AgentError("E_PASSWORD_FILE", `Cannot read the password file: ${errorText(cause)}`, {
      cause,
      fields: { file },
    });
  }
  const [password = ""] = text.split(/\r?\n/, 1);
  if (password === "") {
    throw new AgentError(
      "E_PASSWORD_FILE",
      `Cannot use the password file ${file}: its first line is empty, expected a password`,
      { fields: { file } },
    );
  }
  return password;
}
