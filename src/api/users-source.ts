import { errorText } from "../base/errors.ts";
import { readAccessFile } from "./access-file.ts";
import type { KnownUser } from "./users.ts";

export interface UsersOptions {
  /** Where the users stand. */
  readonly file: string;
  /** False for the file of a private configuration: most have none. */
  readonly isNeeded: boolean;
}

const LIMIT_BYTES = 256 * 1024;

/**
 * The users of the endpoint beside the one with the node's password. Those that were read stay when their
 * file is gone or cannot be used: who makes it disappear must not bring back what was before.
 */
export class UsersSource {
  readonly #options: UsersOptions;
  readonly #apply: (users: readonly KnownUser[]) => void;
  #users: readonly KnownUser[] | undefined;

  /** @param apply Gets all users, each time they were read. */
  constructor(options: UsersOptions, apply: (users: readonly KnownUser[]) => void) {
    this.#options = options;
    this.#apply = apply;
  }

  get isNeeded(): boolean {
    return this.#options.isNeeded;
  }

  /** Whether they have been read, ever. */
  get isLoaded(): boolean {
    return this.#users !== undefined;
  }

  /** @returns What could not be used, one sentence each. Never rejects; takes 5 s at most. */
  async reload(): Promise<readonly string[]> {
    const { file, isNeeded } = this.#options;
    try {
      const content = await readAccessFile(file, LIMIT_BYTES);
      if (content === undefined) {
        if (this.isLoaded) return [`Cannot read ${file}: absent, the users read before stay`];
        return isNeeded ? [`Cannot read ${file}: absent, expected the users of the endpoint`] : [];
      }
      const { parseUsers } = await import("./users-file.ts");
      const { users, problems } = await parseUsers(content, { file, before: this.#users ?? [] });
      if (users !== null) {
        this.#users = users;
        this.#apply(users);
      }
      return problems;
    } catch (error) {
      return [errorText(error)];
    }
  }
}
