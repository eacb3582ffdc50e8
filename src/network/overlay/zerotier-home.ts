import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { errorText } from "../../base/errors.ts";
import { buildLocalConf } from "./local-conf.ts";
import { ZEROTIER_PORT } from "./zerotier-api.ts";

/** A place where the identity lasts longer than the machine runs. */
export interface IdentityPlace {
  readonly directory: string;
  /** True: only where the directory exists; false: made where its parent exists. */
  readonly mustExist: boolean;
}

export interface ZeroTierHomeOptions {
  /** Directory the service works in. Default `/run/node0/zerotier`. */
  readonly home?: string;
  /** The first that exists is used. Default {@link IDENTITY_PLACES}. */
  readonly places?: readonly IdentityPlace[];
  /** Directory of the operator's files. Default `/etc/g8os/zerotier`. */
  readonly configuration?: string;
}

export const ZEROTIER_HOME = "/run/node0/zerotier";
export const ZEROTIER_CONFIGURATION = "/etc/g8os/zerotier";
/** What the agent took of the unlocked configuration of the machine. */
export const IDENTITY_PLACES: readonly IdentityPlace[] = [
  { directory: "/run/node0/unlocked/zerotier", mustExist: true },
];

const MAX_FILE_BYTES = 256 * 1024;
const MAX_MOONS = 32;
const IDENTITY_FILES = ["identity.secret", "identity.public"] as const;
/** Address, type, public key and for the secret one the private key. */
const IDENTITY = /^[0-9a-f]{10}:0:[0-9a-f]+(:[0-9a-f]+)?\s*$/;

/**
 * The working directory of the ZeroTier service. It is always in memory: a place that is unmounted
 * again, like the unlocked configuration, must not hold a running daemon's files. What lasts, the
 * identity, is copied from and to its place.
 */
export class ZeroTierHome {
  readonly directory: string;
  readonly #places: readonly IdentityPlace[];
  readonly #configuration: string;
  #port = ZEROTIER_PORT;
  #problems: readonly string[] = [];

  constructor(options: ZeroTierHomeOptions = {}) {
    this.directory = options.home ?? ZEROTIER_HOME;
    this.#places = options.places ?? IDENTITY_PLACES;
    this.#configuration = options.configuration ?? ZEROTIER_CONFIGURATION;
  }

  /** Port of the local API, as configured. */
  get port(): number {
    return this.#port;
  }

  /** What could not be used at the last {@link prepare}, one sentence each. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /**
   * Makes the directory ready for a start of the service. A kept identity is put in place; without one
   * the service makes its own. @throws the system error when the directory cannot be made.
   */
  prepare(): void {
    const problems: string[] = [];
    makePrivate(this.directory);
    this.#takeIdentity(problems);
    this.#copyConfiguration(problems);
    this.#problems = problems;
  }

  /**
   * Keeps the identity the service has now, where a place for it exists and holds none yet.
   *
   * @returns The directory it was copied to; undefined when there was nothing to do.
   */
  keepIdentity(): string | undefined {
    const place = this.#place();
    if (place === undefined || existsSync(`${place}/identity.secret`)) return undefined;
    const texts = readIdentity(this.directory);
    if (texts === undefined) return undefined;
    makePrivate(place);
    writeIdentity(place, texts);
    return place;
  }

  /** True when the place holds an identity other than the one in use: it needs a restart to be used. */
  hasOtherIdentity(): boolean {
    const place = this.#place();
    const kept = place === undefined ? undefined : readIdentity(place);
    const used = readIdentity(this.directory);
    return kept !== undefined && used !== undefined && kept.secret.trim() !== used.secret.trim();
  }

  #place(): string | undefined {
    return this.#places.find(({ directory, mustExist }) =>
      existsSync(mustExist ? directory : dirname(directory)),
    )?.directory;
  }

  /** A kept identity that is broken is left as it is, for a person to look at. */
  #takeIdentity(problems: string[]): void {
    const place = this.#place();
    if (place === undefined || !existsSync(`${place}/identity.secret`)) return;
    const kept = readIdentity(place);
    if (kept === undefined) {
      problems.push(`Cannot use ${place}/identity.secret: not an identity, another one is used`);
    } else if (readIdentity(this.directory)?.secret.trim() !== kept.secret.trim()) {
      writeIdentity(this.directory, kept);
    }
  }

  #copyConfiguration(problems: string[]): void {
    const from = this.#configuration;
    const conf = buildLocalConf(
      this.#read(`${from}/local.conf`, problems)?.toString(),
      `${from}/local.conf`,
    );
    problems.push(...conf.problems);
    this.#port = conf.port;
    replaceFile(`${this.directory}/local.conf`, conf.text);
    this.#copy("planet", problems);
    const moons = listNames(`${from}/moons.d`);
    const usable = moons.filter((name) => /^[0-9a-f]{16}\.moon$/.test(name)).slice(0, MAX_MOONS);
    for (const name of moons.filter((other) => !usable.includes(other))) {
      const wanted = `at most ${MAX_MOONS} files named 16 hexadecimal digits and .moon`;
      problems.push(
        `Cannot use ${from}/moons.d/${JSON.stringify(name).slice(1, 60)}: expected ${wanted}`,
      );
    }
    if (usable.length > 0) makePrivate(`${this.directory}/moons.d`);
    for (const name of usable) this.#copy(`moons.d/${name}`, problems);
  }

  #copy(name: string, problems: string[]): void {
    const content = this.#read(`${this.#configuration}/${name}`, problems);
    if (content !== undefined) replaceFile(`${this.directory}/${name}`, content);
  }

  /** Undefined for a file that is not there, and with a problem for one that cannot be used. */
  #read(file: string, problems: string[]): Buffer | undefined {
    try {
      const stat = statSync(file, { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      if (stat.isFile() && stat.size <= MAX_FILE_BYTES) return readFileSync(file);
      const wanted = `a file of at most ${MAX_FILE_BYTES / 1024} KiB`;
      problems.push(`Cannot use ${file}: ${stat.size} bytes seen, expected ${wanted}`);
    } catch (error) {
      problems.push(`Cannot read ${file}: ${errorText(error)}`);
    }
    return undefined;
  }
}

interface Identity {
  readonly secret: string;
  /** The service derives it again where it is missing. */
  readonly public: string | undefined;
}

/** Undefined where there is no whole identity. */
function readIdentity(directory: string): Identity | undefined {
  const [secret, open] = IDENTITY_FILES.map((name) => {
    try {
      const text = readFileSync(`${directory}/${name}`, "utf8");
      return IDENTITY.test(text) ? text : undefined;
    } catch {
      return undefined; // Not there: the service has not made it yet.
    }
  });
  const isSecret = secret !== undefined && secret.split(":").length === 4;
  return isSecret ? { secret, public: open } : undefined;
}

/** The secret last: it is what makes the identity count. */
function writeIdentity(directory: string, identity: Identity): void {
  if (identity.public !== undefined) {
    replaceFile(`${directory}/identity.public`, identity.public);
  }
  replaceFile(`${directory}/identity.secret`, identity.secret);
}

/** Readers see the old content or the new one, and never a file others may read. */
function replaceFile(path: string, content: string | Buffer): void {
  const sibling = `${path}.new`;
  const file = openSync(sibling, "w", 0o600);
  try {
    const bytes = Buffer.from(content);
    writeSync(file, bytes, 0, bytes.length);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(sibling, path);
}

function makePrivate(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return []; // No moons.
  }
}
