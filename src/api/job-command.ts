import { randomUUID } from "node:crypto";
import { AgentError, errorText } from "../base/errors.ts";
import type { Schema } from "../base/schema.ts";
import { commandFrom, OPTION_NAMES } from "../job/decode.ts";
import type { CommandObject, JobIntake } from "../job/types.ts";
import { type Bytes, bytesOfText, textOfBytes } from "../resp/bytes.ts";
import { bulk, failure } from "../resp/encode.ts";
import type { ReplyValue } from "../resp/encode-value.ts";
import type { AccessRules } from "./access-rules.ts";
import { jobFailureText } from "./job-failure.ts";
import { resultBytes } from "./json-text.ts";
import { refusal } from "./redis/words.ts";
import { flagSet, type RedisCommand } from "./redis-command.ts";
import type { NodeCommand } from "./services.ts";

/**
 * A job as a Redis command of its own: `core.system '{"name":"uname"}' '{"max_time":5}'`. The first
 * word is the arguments, the second the options of the command object; both are JSON objects and may
 * be left out. Answers with the result object, or with an error when the state is not SUCCESS.
 */
export function jobCommand(
  command: NodeCommand,
  intake: JobIntake,
  rules: Pick<AccessRules, "checkJob">,
): RedisCommand {
  return {
    name: command.name,
    arity: -1,
    flags: ["admin"],
    access: "job",
    keys: [0, 0, 0],
    summary: command.summary,
    group: "job",
    // Made when somebody asks for it: all of them would take a millisecond of every start.
    get arguments() {
      return documentArguments(command);
    },
    run: (session, words) => {
      const { object, isUnnamed } = buildCommand(command.name, words);
      rules.checkJob(session, object);
      return (resume) => {
        intake.run(object, { isUnnamed }).then(
          (result) =>
            resume(
              result.state === "SUCCESS"
                ? bulk(resultBytes(result))
                : failure(bytesOfText(jobFailureText(result))),
            ),
          (error: unknown) => resume(failure(bytesOfText(`ERR ${errorText(error)}`))),
        );
        // The job goes on without its caller: the result stays in result:<id>.
        return () => {};
      };
    },
  };
}

const MAX_WORDS = 3;

function buildCommand(
  name: string,
  words: readonly Bytes[],
): { object: CommandObject; isUnnamed: boolean } {
  if (words.length > MAX_WORDS) {
    throw refusal(`ERR wrong number of arguments for '${name}' command`);
  }
  const args = parseJson(words[1] ?? "{}", "arguments");
  const options = parseJson(words[2] ?? "{}", "options");
  const unknown = Object.keys(options).find((option) => !OPTION_NAMES.has(option));
  if (unknown !== undefined) {
    const names = [...OPTION_NAMES].join(", ");
    throw refusal(`ERR unknown option ${bytesOfText(JSON.stringify(unknown))}, expected ${names}`);
  }
  try {
    const isUnnamed = !options["id"];
    const id = isUnnamed ? randomUUID() : options["id"];
    return { object: commandFrom({ ...options, id, command: name, arguments: args }), isUnnamed };
  } catch (error) {
    if (error instanceof AgentError) throw refusal(bytesOfText(`ERR ${error.message}`));
    throw error;
  }
}

function parseJson(bytes: Bytes, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(textOfBytes(bytes));
  } catch (error) {
    throw refusal(bytesOfText(`ERR ${what} are not JSON: ${errorText(error)}`));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  const seen = bytesOfText(JSON.stringify(value).slice(0, 80));
  throw refusal(`ERR ${what} must be a JSON object, got ${seen}`);
}

function documentArguments(command: NodeCommand): ReplyValue[] {
  const schema = command.args as Schema<unknown> | undefined;
  const members = Object.entries(schema?.properties ?? {});
  const shape = members.map(([name, member]) => `"${name}": ${typeName(member)}`).join(", ");
  const documented = members.map(([name, member]) =>
    documentMember(name, member, schema?.required?.includes(name) === true),
  );
  return [
    new Map<string, ReplyValue>([
      ["name", "arguments"],
      ["display_text", `{${shape}}`],
      ["type", "string"],
      ["flags", flagSet(["optional"])],
      ["arguments", documented],
    ]),
    new Map<string, ReplyValue>([
      ["name", "options"],
      ["display_text", "options"],
      ["type", "string"],
      ["flags", flagSet(["optional"])],
    ]),
  ];
}

function documentMember(name: string, schema: Schema<unknown>, isRequired: boolean): ReplyValue {
  return new Map<string, ReplyValue>([
    ["name", name],
    ["display_text", name],
    ["type", DOC_TYPES[schema.type] ?? "string"],
    ...(schema.description === undefined ? [] : [["summary", schema.description] as const]),
    ...(isRequired ? [] : [["flags", flagSet(["optional"])] as const]),
  ]);
}

/** The types COMMAND DOCS knows; everything else is a string. */
const DOC_TYPES: Readonly<Record<string, string>> = { integer: "integer", number: "double" };

function typeName(schema: Schema<unknown>): string {
  if (schema.type !== "array") return schema.type;
  return `[${schema.items === undefined ? "any" : typeName(schema.items)}]`;
}
