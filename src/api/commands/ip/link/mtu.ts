import { errorCode, errorText } from "../../../../base/errors.ts";
import {
  type Infer,
  integer,
  object,
  parseWith,
  type Schema,
  withDefault,
} from "../../../../base/schema.ts";
import { CommandError } from "../../../../command/command.ts";
import { linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

const shape = object(
  {
    name: withDefault(linkName(), ""),
    mtu: withDefault(integer({ description: "Bytes of the largest packet" }), 0),
  },
  ["name", "mtu"],
);

export const command = builtin({
  name: "ip.link.mtu",
  summary: "Sets the MTU of a link",
  scope: "both",
  access: "operate",
  // Let through as they are, because wrong arguments are 400 here and 500 elsewhere.
  args: { ...shape, type: "any" } as Schema<unknown>,
  result: "null",
  run: async ({ kernelNetwork }, args) => {
    const { name, mtu } = decode(args);
    // The kernel lets some links have an MTU of 0, which nobody who leaves it out means.
    if (mtu < 1 || mtu > MAX_MTU) {
      throw new CommandError(500, `Cannot set MTU ${mtu} of link ${name}, expected 68 or more`);
    }
    try {
      (await kernelNetwork()).apply({ op: "link.set", name, mtu });
    } catch (error) {
      if (errorCode(error) !== "E_NO_LINK") throw error;
      throw new CommandError(404, errorText(error), error);
    }
  },
});

const MAX_MTU = 0x7fff_ffff;

function decode(args: unknown): Infer<typeof shape> {
  try {
    return parseWith(shape, args);
  } catch (error) {
    throw new CommandError(400, errorText(error), error);
  }
}
