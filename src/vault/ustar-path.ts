/** In bytes of UTF-8. */
const LIMIT_BYTES = 255;

/**
 * Says what is wrong with the path of an archive entry, in a few words; undefined: nothing. A good
 * one is relative, stays below the directory it is extracted to, and can be printed.
 */
export function checkUstarPath(path: string): string | undefined {
  if (path === "") return "an empty name";
  if (path.startsWith("/")) return "an absolute name";
  if (Buffer.byteLength(path) > LIMIT_BYTES) return `more than ${LIMIT_BYTES} bytes`;
  if (/[\p{Cc}\u2028\u2029]/u.test(path)) return "a control character";
  if (!path.isWellFormed()) return "not Unicode";
  const parts = path.split("/");
  if (parts.includes("")) return "an empty part";
  if (parts.includes(".") || parts.includes("..")) return "a part . or ..";
  return undefined;
}
