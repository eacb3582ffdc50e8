/** What `os-release` says about the system, in the words of `info.os`. */
export interface OsRelease {
  /** `ID`, for example `debian`. */
  readonly platform: string;
  /** First word of `ID_LIKE`, or the platform itself. */
  readonly platformFamily: string;
  /** `VERSION_ID`; empty for rolling releases. */
  readonly platformVersion: string;
}

/**
 * Parses an `os-release` file: shell-like assignments, values bare or in quotes with backslash escapes.
 * Source: `os-release(5)`.
 */
export function parseOsRelease(text: string): OsRelease {
  const values = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)) {
    values.set(name, unquote(value.trim()));
  }
  const platform = values.get("ID") ?? "linux";
  const [family = ""] = (values.get("ID_LIKE") ?? "").split(" ");
  return {
    platform,
    platformFamily: family === "" ? platform : family,
    platformVersion: values.get("VERSION_ID") ?? "",
  };
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  if (quoted === null) return value;
  const [, quote, inner = ""] = quoted;
  return quote === '"' ? inner.replaceAll(/\\(["$`\\])/g, "$1") : inner;
}
