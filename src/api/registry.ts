import { AgentError, errorText } from "../base/errors.ts";
import { parseWith, type Schema } from "../base/schema.ts";
import { CommandError } from "../command/command.ts";
import type { Executable } from "../job/types.ts";
import type { NodeCommand, Services } from "./services.ts";

/** The commands of this agent by name. */
export class CommandRegistry {
  readonly #commands = new Map<string, NodeCommand>();

  /** @throws AgentError `E_COMMAND_TWICE` when two commands have one name. */
  constructor(commands: readonly NodeCommand[]) {
    for (const command of commands) this.add(command);
  }

  /** @throws AgentError `E_COMMAND_TWICE` when there is a command of this name. */
  add(command: NodeCommand): void {
    if (this.#commands.has(command.name)) {
      throw new AgentError("E_COMMAND_TWICE", `Cannot register ${command.name}: it is known`);
    }
    this.#commands.set(command.name, command);
  }

  get(name: string): NodeCommand | undefined {
    return this.#commands.get(name);
  }

  /** All commands, sorted by name. */
  list(): NodeCommand[] {
    return [...this.#commands.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** Statistics that are switched off are unknown commands (wire protocol 10.1). */
export function isEnabled(config: {
  readonly stats: { readonly enabled: boolean };
}): (command: NodeCommand) => boolean {
  return ({ name }) => config.stats.enabled || !name.startsWith("aggregator.");
}

/**
 * What the engine runs for a command. Arguments are checked here, by the rules of wire protocol 4.3:
 * a built-in that reads its arguments fails when there are none, and on a wrong type; a program gets
 * the defaults on a wrong type, and fails when there are none.
 */
export function toExecutable(command: NodeCommand, services: Services): Executable {
  if (command.kind === "process") {
    return {
      kind: "process",
      build: (args) => command.build(decodeOrDefault(command.args, given(command, args))),
    };
  }
  const schema = command.args as Schema<unknown> | undefined;
  return {
    kind: "builtin",
    level: command.level ?? 20,
    run: (args, job) => {
      if (schema === undefined) return command.run(services, undefined, job);
      const code = command.badArguments ?? 500;
      return command.run(services, decode(schema, given(command, args), code), job);
    },
  };
}

function given(command: NodeCommand, args: unknown): unknown {
  if (args !== undefined && args !== null) return args;
  throw new CommandError(500, `Cannot run ${command.name}: no arguments seen, expected an object`);
}

function decode(schema: Schema<unknown>, args: unknown, code: 400 | 500): unknown {
  try {
    return parseWith(schema, args);
  } catch (error) {
    throw new CommandError(code, errorText(error), error);
  }
}

function decodeOrDefault(schema: Schema<unknown>, args: unknown): unknown {
  try {
    return parseWith(schema, args);
  } catch {
    // Undecodable arguments of a program count as empty (wire protocol 4.3).
    return parseWith(schema, {});
  }
}
