/** What stands where something was left out. */
export const LEFT_OUT = "(left out)";

/** Names of members whose values may be secret. */
const SECRET_NAME =
  /pass|secret|token|credential|cookie|auth|private|identity|(^|[_-])keys?($|[_-])/i;

/** Members whose values belong to the programs they are given to. */
const FREE_MAPS = new Set(["env", "args", "globals"]);

/** A user's name and password inside an address. */
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s"'@]+@/gi;

/** What stands behind a name that sounds secret, in a line of text: `password=x`, `"token": "x"`. */
const NAMED_SECRET =
  /((?:pass(?:word|wd|phrase)?|secret|token|credential|cookie|authorization)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)/gi;

/** A copy of a JSON value without what may be secret; names and shapes stay. */
export function redact(value: unknown): unknown {
  if (typeof value === "string") return redactText(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (FREE_MAPS.has(name)) return [name, hideAll(item)];
      return [name, SECRET_NAME.test(name) ? hideAll(item) : redact(item)];
    }),
  );
}

export function redactText(text: string): string {
  return text.replaceAll(USER_INFO, `$1${LEFT_OUT}@`).replaceAll(NAMED_SECRET, `$1${LEFT_OUT}`);
}

/** Numbers and switches tell nothing; names of members are kept. */
function hideAll(value: unknown): unknown {
  if (typeof value === "string") return value === "" ? "" : LEFT_OUT;
  if (Array.isArray(value)) return value.map(hideAll);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hideAll(item)]));
}
