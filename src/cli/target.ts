import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AgentError, errorCode, errorText } from "../base/errors.ts";
import { boolean, integer, object, parseWith, string } from "../base/schema.ts";

/** The machine the tool talks to, and how it was found. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket, or empty. */
  readonly socket: string;
  /** Absolute path, or undefined when no password is used. */
  readonly passwordFile: string | undefined;
  readonly tls: boolean;
  /** Absolute path; implies TLS. */
  readonly caFile: string | undefined;
  /** Where this came from, in words. */
  readonly source: string;
}

export interface TargetRequest {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly socket?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tls?: boolean | undefined;
  readonly caFile?: string | undefined;
  /** `--context`. */
  readonly context?: string | undefined;
  /** `NODE0_CONTEXT`. */
  readonly environmentContext?: string | undefined;
  readonly cwd: string;
  /** The agent's own socket, used on the machine itself. */
  readonly localSocket?: string;
}

/** Written by `scripts/up`. */
export const CONTEXT_FILE = ".node0/context.json";

const LOCAL_SOCKET = "/run/node0/redis.sock";
const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 6379;

const CONTEXT_SCHEMA = object({
  host: string(),
  port: integer({ minimum: 1, maximum: 65535 }),
  socket: string(),
  passwordFile: string(),
  tls: boolean(),
  caFile: string(),
});

/**
 * Finds the machine: options, then the named context file, then the nearest one above the working
 * directory, then the socket of an agent on this machine. `--password-file` overrides the file of any
 * of them; a machine named by options never gets the password of another one.
 *
 * @throws AgentError `E_TARGET` when there is none, or when a context file is wrong.
 */
export function resolveTarget(request: TargetRequest): Target {
  const found = fromOptions(request) ?? fromContext(request) ?? fromLocalSocket(request);
  if (found === undefined) {
    throw new AgentError(
      "E_TARGET",
      `Cannot tell which machine to talk to: no ${CONTEXT_FILE} in this directory or above; ` +
        "start a machine with scripts/up, or name one with --host and --password-file",
    );
  }
  const { cwd, passwordFile, caFile, tls } = request;
  return {
    ...found,
    ...(passwordFile === undefined ? {} : { passwordFile: resolve(cwd, passwordFile) }),
    ...(caFile === undefined ? {} : { caFile: resolve(cwd, caFile) }),
    tls: found.tls || tls === true || caFile !== undefined,
  };
}

function fromOptions(request: TargetRequest): Target | undefined {
  const { host, port, socket } = request;
  if (socket !== undefined) {
    if (host !== undefined || port !== undefined) {
      throw new AgentError("E_TARGET", "Cannot use --socket together with --host or --port");
    }
    return socketTarget(resolve(request.cwd, socket), "--socket");
  }
  if (host === undefined && port === undefined) return undefined;
  return {
    host: host ?? DEFAULT_HOST,
    port: port ?? DEFAULT_PORT,
    socket: "",
    passwordFile: undefined,
    tls: false,
    caFile: undefined,
    source: "options",
  };
}

function fromContext(request: TargetRequest): Target | undefined {
  const { context, environmentContext, cwd } = request;
  if (context !== undefined) return readContext(resolve(cwd, context), "--context");
  if (environmentContext !== undefined && environmentContext !== "") {
    return readContext(resolve(cwd, environmentContext), "NODE0_CONTEXT");
  }
  const nearest = nearestContext(cwd);
  return nearest === undefined ? undefined : readContext(nearest, "context file");
}

function nearestContext(start: string): string | undefined {
  for (let directory = start; ; directory = dirname(directory)) {
    const file = join(directory, CONTEXT_FILE);
    if (existsSync(file)) return file;
    if (directory === dirname(directory)) return undefined;
  }
}

function readContext(file: string, how: string): Target {
  const source = `${how} ${file}`;
  try {
    const value = parseWith(CONTEXT_SCHEMA, JSON.parse(readFileSync(file, "utf8")), "context");
    const { socket, passwordFile, caFile } = value;
    return {
      host: value.host ?? DEFAULT_HOST,
      port: value.port ?? DEFAULT_PORT,
      socket: socket === undefined ? "" : resolve(dirname(file), socket),
      passwordFile: passwordFile === undefined ? undefined : resolve(dirname(file), passwordFile),
      tls: value.tls === true || caFile !== undefined,
      caFile: caFile === undefined ? undefined : resolve(dirname(file), caFile),
      source,
    };
  } catch (cause) {
    const seen = errorCode(cause) === "ENOENT" ? "no such file" : errorText(cause);
    throw new AgentError("E_TARGET", `Cannot use the context file ${file}: ${seen}`, { cause });
  }
}

function fromLocalSocket({ localSocket = LOCAL_SOCKET }: TargetRequest): Target | undefined {
  return existsSync(localSocket) ? socketTarget(localSocket, "agent on this machine") : undefined;
}

function socketTarget(path: string, source: string): Target {
  const none = { passwordFile: undefined, tls: false, caFile: undefined };
  return { host: "", port: 0, socket: path, ...none, source };
}
