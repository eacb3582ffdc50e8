import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError, errorCode } from "../base/errors.ts";

/**
 * Where a controller is and who asks: the directory of a controller on this machine, or its parts.
 * In a directory these are `url`, `ca.crt` and `operator-token`.
 */
export type OperatorTarget =
  | { readonly dir: string }
  | { readonly url: string; readonly caFile: string; readonly tokenFile: string };

export interface Target {
  /** `https://HOST:PORT`. */
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** Path of the CA, for messages. */
  readonly caName: string;
  readonly token: string;
}

/** Reads what a target names. @throws AgentError `E_CONTROLLER_TARGET` */
export async function readTarget(target: OperatorTarget): Promise<Target> {
  const isDirectory = "dir" in target;
  const caName = isDirectory ? join(target.dir, "ca.crt") : target.caFile;
  const tokenName = isDirectory ? join(target.dir, "operator-token") : target.tokenFile;
  const url = isDirectory ? await readLine(join(target.dir, "url")) : target.url;
  const [ca, token] = await Promise.all([readText(caName), readLine(tokenName)]);
  if (!URL.canParse(url) || new URL(url).protocol !== "https:") {
    throw wrong(`Cannot use the controller URL ${url}: not https, expected https://HOST:PORT`);
  }
  if (!/^[\w+/=.-]{16,}$/.test(token)) {
    throw wrong(`Cannot use ${tokenName}: its first line is no operator token`);
  }
  return { url: new URL(url).origin, ca, caName, token };
}

async function readLine(path: string): Promise<string> {
  const [line = ""] = (await readText(path)).split("\n");
  return line.trim();
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = errorCode(error) ?? "unknown error";
    const seen = code === "ENOENT" ? "no such file" : code;
    throw wrong(`Cannot read ${path}: ${seen}, expected a file of a controller that was started`);
  }
}

function wrong(message: string): AgentError {
  return new AgentError("E_CONTROLLER_TARGET", message);
}
