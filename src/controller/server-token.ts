import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { AgentError, errorCode } from "../base/errors.ts";
import { DATABASE_FILE, writePrivateFile } from "./store-files.ts";

const TOKEN_FILE = "operator-token";
const SHORTEST = 32;

/** The file of the operator token. A new one put there counts at once. */
export class TokenFile {
  readonly #path: string;
  #seen = "";

  /** Makes the file where it is missing. */
  constructor(directory: string) {
    this.#path = join(directory, TOKEN_FILE);
    if (!existsSync(this.#path)) writePrivateFile(this.#path, `${newToken()}\n`);
  }

  /** @throws AgentError `E_TOKEN` */
  read(): string {
    this.#seen = this.#version();
    const [token = ""] = readFileSync(this.#path, "utf8").split("\n");
    if (token.trim().length >= SHORTEST) return token.trim();
    throw new AgentError(
      "E_TOKEN",
      `Cannot use ${this.#path}: expected a token of ${SHORTEST} characters or more`,
    );
  }

  /** Whether the file is another one than at the last `read`. */
  get isChanged(): boolean {
    return this.#version() !== this.#seen;
  }

  /** Empty while there is no file: the token that was read stays good. */
  #version(): string {
    const found = statSync(this.#path, { throwIfNoEntry: false, bigint: true });
    return found === undefined ? this.#seen : `${found.ino} ${found.mtimeNs} ${found.size}`;
  }
}

/**
 * Puts a new token into the directory of a controller, which may be running.
 *
 * @throws AgentError `E_CONTROLLER_FILE` where there is no controller.
 */
export function replaceToken(directory: string): string {
  if (!existsSync(join(directory, DATABASE_FILE))) {
    throw new AgentError(
      "E_CONTROLLER_FILE",
      `Cannot make a token in ${directory}: no ${DATABASE_FILE}, expected the directory of a controller that was started`,
    );
  }
  const token = newToken();
  try {
    writePrivateFile(join(directory, TOKEN_FILE), `${token}\n`);
  } catch (error) {
    throw new AgentError(
      "E_CONTROLLER_FILE",
      `Cannot write ${join(directory, TOKEN_FILE)}: ${errorCode(error)}`,
    );
  }
  return token;
}

/** 32 random bytes. */
function newToken(): string {
  return randomBytes(32).toString("base64url");
}
