import { AgentError, errorText } from "../base/errors.ts";
import type { Store } from "../keyspace/store.ts";
import type { Logger } from "../log/logger.ts";
import type { Bytes } from "../resp/bytes.ts";
import { failure, type Reply } from "../resp/encode.ts";
import type { AccessRules } from "./access-rules.ts";
import type { CommandTable } from "./command-table.ts";
import type { Counters } from "./counters.ts";
import { isGrowing, type RedisCommand } from "./redis-command.ts";
import { isListening, type Session, type Suspension } from "./session.ts";

export interface DispatcherOptions {
  readonly table: CommandTable;
  readonly store: Store;
  readonly rules: Pick<AccessRules, "checkRequest">;
  readonly counters: Counters;
  readonly logger: Logger;
}

/** Finds the command of a request, checks what all commands have in common, and runs it. */
export class Dispatcher {
  readonly #table: CommandTable;
  readonly #store: Store;
  readonly #rules: DispatcherOptions["rules"];
  readonly #counters: Counters;
  readonly #logger: Logger;

  constructor(options: DispatcherOptions) {
    this.#table = options.table;
    this.#store = options.store;
    this.#rules = options.rules;
    this.#counters = options.counters;
    this.#logger = options.logger;
  }

  /**
   * Never throws.
   *
   * @param words At least one.
   * @param hidden Words of a request that carries a password; the caller wipes them.
   */
  execute(
    session: Session,
    words: readonly Bytes[],
    hidden: readonly Uint8Array[] = NONE,
  ): Reply | Suspension {
    const name = words[0] as Bytes;
    const command = this.#table.find(name);
    if (!session.isMember && command?.flags.includes("no_auth") !== true) {
      return this.#fail("NOAUTH Authentication required.");
    }
    if (command === undefined) return this.#fail(unknownText(words));
    if (!hasArity(command.arity, words.length)) {
      return this.#fail(`ERR wrong number of arguments for '${command.name}' command`);
    }
    if (isListening(session) && !LISTENING_COMMANDS.has(command.name)) {
      return this.#fail(listeningText(command.name));
    }
    this.#counters.commands += 1;
    session.lastCommand = command.name;
    try {
      this.#rules.checkRequest(session, command, words);
      if (isGrowing(command)) this.#store.ensureRoom(sizeOf(words));
      return command.run(session, words, hidden);
    } catch (error) {
      return this.#fail(this.#textOf(command, error));
    }
  }

  #fail(text: Bytes): Reply {
    this.#counters.errors += 1;
    return failure(text);
  }

  #textOf(command: RedisCommand, error: unknown): Bytes {
    if (error instanceof AgentError && CLIENT_ERRORS.has(error.code)) return error.message;
    this.#logger.error("command failed unexpectedly", {
      command: command.name,
      error: errorText(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    return `ERR internal error in '${command.name}'`;
  }
}

const NONE: readonly Uint8Array[] = [];

/** Errors whose message is meant for the client as it is. */
const CLIENT_ERRORS: ReadonlySet<string> = new Set(["E_REQUEST", "E_KEY_TYPE", "E_KEYSPACE_FULL"]);
const MAX_SHOWN_BYTES = 128;

function hasArity(arity: number, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}

function sizeOf(words: readonly Bytes[]): number {
  let size = 0;
  for (const bytes of words) size += bytes.length;
  return size;
}

/** What a RESP2 connection with subscriptions may still say. */
const LISTENING_COMMANDS: ReadonlySet<string> = new Set([
  "ping",
  "psubscribe",
  "punsubscribe",
  "quit",
  "reset",
  "subscribe",
  "unsubscribe",
]);

const listeningText = (name: string): Bytes =>
  `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are ` +
  "allowed in this context";

function unknownText(words: readonly Bytes[]): Bytes {
  let shown = "";
  for (const argument of words.slice(1)) {
    if (shown.length >= MAX_SHOWN_BYTES) break;
    shown += `'${argument.slice(0, MAX_SHOWN_BYTES - shown.length)}' `;
  }
  const name = (words[0] as Bytes).slice(0, MAX_SHOWN_BYTES);
  return `ERR unknown command '${name}', with args beginning with: ${shown}`;
}
