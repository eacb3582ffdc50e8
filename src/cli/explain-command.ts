import type { ArgumentHelp } from "../client/command-help.ts";
import { COMMAND_HELP } from "../client/generated/help.ts";
import { columns } from "./help.ts";
import { nearestWord } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";

const ACCESS = {
  read: "every role",
  operate: "operators and administrators",
  admin: "administrators",
} as const;

/**
 * The text of `node0 call COMMAND --help`, from what the node itself knows of its command.
 *
 * @throws UsageError with the nearest name for one that is not known.
 */
export function explainCommand(name: string): string {
  const help = COMMAND_HELP[name];
  if (help === undefined) {
    const near = nearestWord(name, Object.keys(COMMAND_HELP));
    const suggestion = near === undefined ? "" : `; did you mean ${near}?`;
    throw new UsageError(`Cannot explain the command "${name}"${suggestion}`, "call");
  }
  const usage = help.arguments.length === 0 ? "" : " JSON";
  const value = help.level === 20 ? help.result : `none; ${help.result}`;
  return [
    `Usage: node0 call ${name}${usage}`,
    "",
    `${help.summary}.`,
    "",
    ...(help.arguments.length === 0
      ? ["Arguments: none."]
      : ["Arguments, members of one JSON object:", ...columns(help.arguments.map(row))]),
    "",
    `Value: ${value.replace(/\.$/, "")}.`,
    `For: ${ACCESS[help.access]}.`,
    "",
  ].join("\n");
}

function row(argument: ArgumentHelp): readonly [string, string] {
  const { type, isRequired, description, choices, minimum, maximum } = argument;
  const fallback = argument.default === undefined ? "" : JSON.stringify(argument.default);
  const notes = [
    isRequired ? "required" : "",
    fallback === "" || fallback === '""' ? "" : `default ${fallback}`,
    choices === undefined ? "" : `one of ${choices.map((word) => JSON.stringify(word)).join(", ")}`,
    minimum === undefined ? "" : `at least ${minimum}`,
    maximum === undefined ? "" : `at most ${maximum}`,
  ].filter((note) => note !== "");
  const facts = [type, ...notes].join(", ");
  return [argument.name, description === undefined ? facts : `${description} (${facts})`];
}
