import type { Paint } from "./paint.ts";
import { type Cell, formatPairs, formatTable, printable } from "./table.ts";

/** Any JSON value as a table: a list of objects by columns, an object by names, the rest as text. */
export function formatValue(value: unknown, paint: Paint): string {
  if (Array.isArray(value)) return formatList(value, paint);
  if (typeof value === "object" && value !== null) {
    return formatPairs(
      Object.entries(value).map(([name, item]) => [name, cellOf(item)] as const),
      paint,
    );
  }
  return `${printable(cellText(value))}\n`;
}

/** Rows of objects with the columns named, or with every column that occurs. */
export function formatRows(
  rows: readonly Readonly<Record<string, unknown>>[],
  paint: Paint,
  columns?: readonly string[],
): string {
  const names = columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return formatTable(
    names.map((name) => name.toUpperCase()),
    rows.map((row) => names.map((name) => cellOf(row[name]))),
    paint,
  );
}

function formatList(list: readonly unknown[], paint: Paint): string {
  const isTable = list.every(
    (item) => typeof item === "object" && item !== null && !Array.isArray(item),
  );
  if (isTable) return formatRows(list as Readonly<Record<string, unknown>>[], paint);
  return list.map((item) => `${printable(cellText(item))}\n`).join("");
}

function cellOf(value: unknown): Cell {
  const text = cellText(value);
  return text === "" ? "-" : text;
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value) && value.every((item) => typeof item !== "object"))
    return value.join(" ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
