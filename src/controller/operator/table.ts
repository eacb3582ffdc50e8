const GAP = "  ";

/**
 * Rows under a heading, each column as wide as its widest cell. Texts of machines cannot reach the
 * terminal as control characters.
 */
export function formatTable(heading: readonly string[], rows: readonly (readonly string[])[]) {
  return formatRows([heading.map((text) => text.toUpperCase()), ...rows]);
}

/** Two columns without a heading; pairs without a value are left out. */
export function formatPairs(pairs: readonly (readonly [name: string, value: string])[]): string {
  return formatRows(pairs.filter(([, value]) => value !== ""));
}

/** Rows without a heading. */
export function formatRows(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, text] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, text.length);
    }
  }
  return cells
    .map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(GAP))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
