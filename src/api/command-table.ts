import type { Bytes } from "../resp/bytes.ts";
import type { RedisCommand } from "./redis-command.ts";

/**
 * Every command by name, in any case: redis-cli completes all names in upper case, those of jobs
 * too. (In a command object the name of a job is exact.)
 */
export class CommandTable {
  readonly #commands = new Map<Bytes, RedisCommand>();
  readonly #byName = new Map<string, RedisCommand>();

  add(commands: readonly RedisCommand[]): void {
    for (const command of commands) {
      this.#byName.set(command.name, command);
      this.#commands.set(command.name, command);
      this.#commands.set(command.name.toUpperCase(), command);
    }
  }

  find(name: Bytes): RedisCommand | undefined {
    // Names come in lower or upper case; only a mixed one costs a second look.
    return this.#commands.get(name) ?? this.#commands.get(name.toUpperCase());
  }

  /** Each command once, in order of registration. */
  list(): RedisCommand[] {
    return [...this.#byName.values()];
  }
}
