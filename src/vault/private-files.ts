import { errorText } from "../base/errors.ts";
import { firstLine } from "../base/secret-bytes.ts";
import { PRIVATE_FILES, VAULT } from "./controller-api.ts";
import type { ClientIdentity } from "./controller-request.ts";
import { readPrivate } from "./read-private.ts";

const LIMIT_BYTES = 64 * 1024;
const CONFIG_LIMIT_BYTES = 1024 * 1024;
const STARTUP_LIMIT_BYTES = 256 * 1024;
/** Files; they are copied to memory. */
const STARTUP_LIMIT = 100;
const PASSWORD_LIMIT_BYTES = 4096;
const IDENTITY_LIMIT_BYTES = 4096;

/** Reads what the node needs of its private configuration while that is mounted. */
export class PrivateFiles {
  readonly #directory: string;

  /** @param directory Default `/mnt/etc`. */
  constructor(directory: string = VAULT.mountpoint) {
    this.#directory = directory;
  }

  /**
   * For the caller to wipe; undefined when one of the two is missing.
   *
   * @throws AgentError `E_VAULT_FILE`, as all of these.
   */
  async readIdentity(): Promise<ClientIdentity | undefined> {
    const certificate = await this.#read(PRIVATE_FILES.clientCertificate);
    const key = await this.#read(PRIVATE_FILES.clientKey);
    return certificate === undefined || key === undefined ? undefined : { certificate, key };
  }

  /** First line of its file, as bytes for the caller to wipe; undefined without one, or with an empty one. */
  async readPassword(): Promise<Buffer | undefined> {
    const content = await this.#read(PRIVATE_FILES.redisPassword, PASSWORD_LIMIT_BYTES);
    if (content === undefined) return undefined;
    const first = firstLine(content);
    const line = Buffer.alloc(first.length);
    line.set(first);
    content.fill(0);
    return line.length === 0 ? undefined : line;
  }

  /** Text of the additional net.toml; undefined without one. */
  async readNetToml(): Promise<string | undefined> {
    return (await this.#read(PRIVATE_FILES.netToml, CONFIG_LIMIT_BYTES))?.toString("utf8");
  }

  /** Of the overlay; undefined without one. `open`: the public half, which the service can make again. */
  async readOverlayIdentity(): Promise<{ secret: string; open: string | undefined } | undefined> {
    const directory = PRIVATE_FILES.zerotierDirectory;
    const secret = await this.#read(`${directory}/identity.secret`, IDENTITY_LIMIT_BYTES);
    if (secret === undefined) return undefined;
    const open = await this.#read(`${directory}/identity.public`, IDENTITY_LIMIT_BYTES);
    return { secret: secret.toString("utf8"), open: open?.toString("utf8") };
  }

  /** Start-up services and extensions: names of the files and their texts; those too large are left out. */
  async readStartup(): Promise<{ texts: Map<string, string>; problems: string[] }> {
    const { listPrivate } = await import("./list-private.ts");
    const directory = PRIVATE_FILES.startupDirectory;
    const texts = new Map<string, string>();
    const problems: string[] = [];
    const names = await listPrivate(this.#directory, directory);
    for (const name of names.filter((file) => file.endsWith(".toml")).slice(0, STARTUP_LIMIT)) {
      try {
        const content = await this.#read(`${directory}/${name}`, STARTUP_LIMIT_BYTES);
        if (content !== undefined) texts.set(name, content.toString("utf8"));
      } catch (error) {
        problems.push(errorText(error));
      }
    }
    return { texts, problems };
  }

  #read(path: string, limitBytes = LIMIT_BYTES): Promise<Buffer | undefined> {
    return readPrivate(this.#directory, path, limitBytes);
  }
}
