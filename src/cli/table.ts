import type { Paint, Style } from "./paint.ts";

/** A cell: its text, and how to colour it. */
export type Cell = string | { readonly text: string; readonly style: Style };

const GAP = "  ";

/**
 * Rows under a heading, columns padded to their widest cell. What the node sent cannot reach the
 * terminal as control characters.
 */
export function formatTable(heading: readonly string[], rows: readonly Cell[][], paint: Paint) {
  const head: Cell[] = heading.map((text) => ({ text, style: "bold" }));
  return layOut([head, ...rows], paint);
}

/** Two columns without a heading: names and what they are. */
export function formatPairs(pairs: readonly (readonly [string, Cell])[], paint: Paint): string {
  const rows = pairs.map(([name, cell]): Cell[] => [{ text: name, style: "bold" }, cell]);
  return layOut(rows, paint);
}

/** Replaces control characters, so that text of a machine cannot steer the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}

function layOut(rows: readonly Cell[][], paint: Paint): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cellText(cell).length);
    }
  }
  return rows.map((row) => `${formatRow(row, widths, paint)}\n`).join("");
}

function formatRow(row: readonly Cell[], widths: readonly number[], paint: Paint): string {
  const cells = row.map((cell, index) => {
    const text = cellText(cell);
    const isLast = index === row.length - 1;
    const padding = isLast ? "" : " ".repeat((widths[index] ?? 0) - text.length);
    return (typeof cell === "string" ? text : paint(cell.style, text)) + padding;
  });
  return cells.join(GAP).trimEnd();
}

function cellText(cell: Cell): string {
  return printable(typeof cell === "string" ? cell : cell.text);
}
