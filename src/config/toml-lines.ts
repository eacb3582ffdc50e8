/**
 * Finds the line a key of a TOML text stands on: the parser does not keep positions.
 *
 * @param path Names from the top, for example `["main", "max_jobs"]`, or those of a table.
 * @returns Line number from 1; undefined where the key is inside an inline table or written in a way
 * this does not follow.
 */
export function lineOfKey(text: string, path: readonly string[]): number | undefined {
  const wanted = path.join("\n");
  let table: readonly string[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const header = /^\s*\[\[?([^\]]+)\]/.exec(line)?.[1];
    const assigned = /^\s*((?:"[^"]*"|'[^']*'|[\w.\s-])+?)\s*=/.exec(line)?.[1];
    if (header !== undefined) table = splitNames(header);
    const names = assigned === undefined ? table : [...table, ...splitNames(assigned)];
    const isHere = header !== undefined || assigned !== undefined;
    if (isHere && startsWith(names, wanted)) return at + 1;
  }
  return undefined;
}

function startsWith(names: readonly string[], wanted: string): boolean {
  const joined = names.join("\n");
  return joined === wanted || joined.startsWith(`${wanted}\n`);
}

function splitNames(text: string): string[] {
  const names = text.match(/"[^"]*"|'[^']*'|[^.\s]+/g) ?? [];
  return names.map((name) => name.replace(/^(["'])(.*)\1$/, "$2"));
}
