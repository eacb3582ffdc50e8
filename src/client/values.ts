import type { CommandValues } from "./generated/values.ts";

/** What a command returns; `unknown` where `docs/commands.md` tells it in words alone. */
export type CommandValue<Name extends string> = Name extends keyof CommandValues
  ? CommandValues[Name]
  : unknown;
