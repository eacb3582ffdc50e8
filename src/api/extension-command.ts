import { AgentError } from "../base/errors.ts";
import { any, type Schema } from "../base/schema.ts";
import { buildExtension, placeholders } from "../job/extension.ts";
import { readsScripts } from "../startup/startup.ts";
import type { StartupExtension } from "../startup/types.ts";
import { type NodeCommand, program } from "./services.ts";

const NAME = /^[A-Za-z][\w.-]{0,63}$/;

/**
 * The command an extension is called by. Its arguments are those its texts have a place for.
 *
 * @throws AgentError `E_EXTENSION` for a name no command can have, and for a shell that would run what others
 *   than administrators give it.
 */
export function extensionCommand(extension: StartupExtension): NodeCommand {
  const { name, binary, args, access } = extension;
  if (!NAME.test(name)) {
    throw refused("this name", "1 to 64 letters, digits and ._-, a letter first");
  }
  const names = [...new Set(args.flatMap(placeholders))].filter((key) => key !== "stdin");
  if (access !== "admin" && names.length > 0 && readsScripts(extension)) {
    throw refused(`access ${access} to a shell that reads its arguments`, "admin");
  }
  const texts = args.map((text) => JSON.stringify(text)).join(" ");
  return program({
    name,
    summary: `Runs ${binary} ${texts}`.trim().slice(0, MAX_SUMMARY),
    scope: "host",
    access,
    result: "none; output in streams, exit status n as code 1000 + n, 999 after a signal",
    args: argumentsOf([...names, "stdin"]),
    build: (given) => buildExtension(extension, isObject(given) ? given : {}),
  });
}

const MAX_SUMMARY = 200;

/** Anything is accepted: existing callers rely on the text form of every value, null too. */
function argumentsOf(names: readonly string[]): Schema<unknown> {
  const properties = Object.fromEntries(
    names.map((name) => [
      name,
      any({ description: name === "stdin" ? "Text for standard input" : `Put for {${name}}` }),
    ]),
  );
  return { ...any(), properties };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refused(seen: string, wanted: string): AgentError {
  return new AgentError("E_EXTENSION", `${seen} seen, expected ${wanted}`);
}
