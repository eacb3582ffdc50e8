import { SecretDigest, wipe } from "../base/secret-bytes.ts";
import { scanToml } from "../config/toml-lines.ts";
import { readRandom } from "../sys/random.ts";
import { type KnownUser, NODE_USER, ROLES, type Role } from "./users.ts";
import { hidePasswords } from "./users-passwords.ts";

export interface UsersFile {
  /** Null: the file as a whole cannot be used. */
  readonly users: readonly KnownUser[] | null;
  /** One sentence each, without anything of a password. */
  readonly problems: readonly string[];
}

const MAX_USERS = 256;
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const PATTERN = /^[A-Za-z0-9_.*?-]{1,128}$/;
const MIN_PASSWORD_BYTES = 8;
export const MAX_PASSWORD_BYTES = 512;
const SALT_BYTES = 32;
const MEMBERS = ["role", "password", "allow"];

/**
 * Reads a users file: tables `[user.NAME]` with `role`, `password`, and perhaps `allow`. A user with a mistake
 * is left out, the others stand.
 *
 * @param content Wiped.
 * @param before The users there are, to tell who changed.
 */
export async function parseUsers(
  content: Uint8Array,
  { file, before }: { readonly file: string; readonly before: readonly KnownUser[] },
): Promise<UsersFile> {
  const { text, passwords } = hidePasswords(content);
  wipe([content]);
  try {
    const { danger } = scanToml(text);
    if (danger !== undefined) {
      throw new Error(`${danger.seen} in line ${danger.line} seen, expected none`);
    }
    const { default: toml } = await import("@iarna/toml");
    return new Reader({ file, before, passwords }).read(toml.parse(text));
  } catch (error) {
    return { users: null, problems: [`Cannot read ${file}: ${whyNot(error)}`] };
  } finally {
    wipe(passwords);
  }
}

/** Of what the parser says only the place: it quotes what it saw. */
function whyNot(error: unknown): string {
  const line = (error as { line?: unknown }).line;
  if (typeof line === "number") return `no TOML in line ${line + 1}, expected [user.NAME] tables`;
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
}

class Reader {
  readonly #file: string;
  readonly #before: readonly KnownUser[];
  readonly #passwords: readonly Uint8Array[];
  readonly #users: KnownUser[] = [];
  readonly #problems: string[] = [];

  constructor(options: {
    file: string;
    before: readonly KnownUser[];
    passwords: readonly Uint8Array[];
  }) {
    this.#file = options.file;
    this.#before = options.before;
    this.#passwords = options.passwords;
  }

  read(parsed: Readonly<Record<string, unknown>>): UsersFile {
    for (const name of Object.keys(parsed)) {
      if (name !== "user") this.#try(() => wrong(name, "an unknown key", "tables [user.NAME]"));
    }
    const users = parsed["user"] ?? {};
    this.#try(() => {
      if (!isTable(users)) wrong("user", "no table", "tables [user.NAME]");
      for (const [name, value] of Object.entries(users)) {
        this.#try(() => this.#users.push(this.#readUser(name, value)));
      }
    });
    return { users: this.#users, problems: this.#problems };
  }

  #readUser(name: string, value: unknown): KnownUser {
    const where = `user.${name.slice(0, 64)}`;
    if (!NAME.test(name) || name === NODE_USER.name) {
      wrong(where, "this name", "1 to 64 letters, digits, dots, dashes, underscores, not default");
    }
    if (!isTable(value)) wrong(where, "no table", "a table");
    const unknown = Object.keys(value).find((member) => !MEMBERS.includes(member));
    if (unknown !== undefined) {
      wrong(`${where}.${unknown}`, "an unknown key", `one of ${MEMBERS.join(", ")}`);
    }
    const role = ROLES.find((known) => known === value["role"]);
    if (role === undefined) {
      wrong(`${where}.role`, "another value", `one of ${ROLES.join(", ")}`);
    }
    const allow = value["allow"] ?? null;
    if (allow !== null && !isPatternList(allow)) {
      const expected = 'an array of command names and patterns such as ["info.*", "core.ping"]';
      wrong(`${where}.allow`, "another value", expected);
    }
    const password = this.#passwordOf(value["password"]);
    if (password === undefined) {
      const size = `${MIN_PASSWORD_BYTES} to ${MAX_PASSWORD_BYTES} bytes`;
      wrong(`${where}.password`, "no such value", `${size} in quotes, on a line of its own`);
    }
    const twin = this.#users.find(({ digest }) => digest.matches(password));
    if (twin !== undefined) {
      wrong(`${where}.password`, `that of ${twin.name}`, "another one for each user");
    }
    if (this.#users.length >= MAX_USERS) wrong(where, "one more user", `at most ${MAX_USERS}`);
    return this.#make({ name, role, allow, password });
  }

  #make(user: {
    name: string;
    role: Role;
    allow: readonly string[] | null;
    password: Uint8Array;
  }): KnownUser {
    const { name, role, allow, password } = user;
    const former = this.#before.find((one) => one.name === name);
    const isSame =
      former !== undefined &&
      former.role === role &&
      JSON.stringify(former.allow) === JSON.stringify(allow) &&
      former.digest.matches(password);
    const digest = new SecretDigest(password, readRandom(SALT_BYTES));
    return { name, role, allow, digest, isOther: !isSame };
  }

  /** @param value What stands in the place of a password: its number. */
  #passwordOf(value: unknown): Uint8Array | undefined {
    if (typeof value !== "string" || !/^\d{1,6}$/.test(value)) return undefined;
    const password = this.#passwords[Number(value)];
    if (password === undefined) return undefined;
    const { length } = password;
    return length >= MIN_PASSWORD_BYTES && length <= MAX_PASSWORD_BYTES ? password : undefined;
  }

  #try(step: () => unknown): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      this.#problems.push(`Cannot use ${error.what} in ${this.#file}: ${error.message}`);
    }
  }
}

/** Something in the file that cannot be used. */
class Mistake extends Error {
  readonly what: string;

  constructor(what: string, message: string) {
    super(message);
    this.what = what;
  }
}

function wrong(what: string, seen: string, expected: string): never {
  throw new Mistake(what, `${seen} seen, expected ${expected}`);
}

function isPatternList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.every((pattern) => typeof pattern === "string" && PATTERN.test(pattern))
  );
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
