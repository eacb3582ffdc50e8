import { any, array, object, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import { parseDmi } from "../../../sys/proc/dmi.ts";
import { runHelper } from "../../run-helper.ts";
import { builtin } from "../../services.ts";

/** Names the decoder knows for groups of types. */
const KEYWORDS: readonly string[] = [
  "bios",
  "system",
  "baseboard",
  "chassis",
  "processor",
  "memory",
  "cache",
  "connector",
  "slot",
];

const HIGHEST_TYPE = 42;

const args = object({
  types: withDefault(
    array(any(), {
      description: `type numbers 0 to ${HIGHEST_TYPE}, or any of ${KEYWORDS.join(", ")}; empty means all`,
    }),
    [],
  ),
});

export const command = builtin({
  name: "info.dmi",
  summary: "Decodes the tables in which the firmware describes the hardware",
  scope: "host",
  access: "read",
  args,
  result:
    "{tooling: {aggregator, decoder}, sections: array of {handleline, typestr, typenum, " +
    "subsections: array of {title, properties: {<key>: {value, items (absent if none)}}}}}",
  run: async (_services, { types }) =>
    parseDmi(await runHelper("dmidecode", types.map(typeArgument))),
});

/**
 * The decoder's argument for one element of `types`.
 *
 * @throws CommandError 400 for a number out of range and for an element of another type, 500 for an
 *   unknown keyword.
 */
function typeArgument(type: unknown): string {
  if (typeof type === "string") {
    if (KEYWORDS.includes(type)) return `--type=${type}`;
    throw new CommandError(
      500,
      `Cannot decode type ${JSON.stringify(type)}, expected one of ${KEYWORDS.join(", ")}`,
    );
  }
  const isNumber = typeof type === "number" && Number.isInteger(type);
  if (isNumber && type >= 0 && type <= HIGHEST_TYPE) return `--type=${type}`;
  throw new CommandError(
    400,
    `Cannot decode type ${JSON.stringify(type)}, expected a keyword or an integer from 0 to ${HIGHEST_TYPE}`,
  );
}
