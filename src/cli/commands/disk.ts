import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import type { Paint } from "../paint.ts";
import { type Cell, formatTable } from "../table.ts";
import { formatBytes } from "../units.ts";

/** The columns of `disk.list` for a disk or a partition that the table shows. */
interface Device {
  readonly name?: unknown;
  readonly size?: unknown;
  readonly type?: unknown;
  readonly fstype?: unknown;
  readonly label?: unknown;
  readonly mountpoint?: unknown;
  readonly model?: unknown;
  readonly children?: unknown;
}

export const disk: CliCommand = {
  name: "disk",
  summary: "List disks and partitions",
  options: [],
  operands: [],
  details: ["-o json holds every column, partition tables and free areas."],
  examples: ["node0 disk", "node0 disk -o json"],
  async run(invocation) {
    const client = await invocation.connect();
    const disks = (await client.value("disk.list", {}, invocation.limits)) as readonly Device[];
    await invocation.print(disks, () => formatDisks(disks, invocation.paint));
    return EXIT.ok;
  },
};

/** The text of `node0 disk`. */
export function formatDisks(disks: readonly Device[], paint: Paint): string {
  const heading = ["NAME", "SIZE", "TYPE", "FILESYSTEM", "LABEL", "MOUNTED", "MODEL"];
  return formatTable(
    heading,
    disks.flatMap((device) => rows(device, 0)),
    paint,
  );
}

function rows(device: Device, depth: number): Cell[][] {
  const { name, size, type, fstype, label, mountpoint, model, children } = device;
  const indent = depth === 0 ? "" : `${"  ".repeat(depth - 1)}└ `;
  const inner = Array.isArray(children) ? (children as readonly Device[]) : [];
  const row: Cell[] = [
    `${indent}${String(name ?? "")}`,
    sizeText(size),
    ...[type, fstype, label, mountpoint, model].map((value) => cell(value)),
  ];
  return [row, ...inner.flatMap((child) => rows(child, depth + 1))];
}

/** Sizes of partitions are texts (wire protocol, `disk.list`). */
function sizeText(size: unknown): string {
  const bytes = Number(size);
  return Number.isFinite(bytes) && size !== "" && size !== null ? formatBytes(bytes) : cell(size);
}

const cell = (value: unknown): string =>
  value === null || value === undefined || value === "" ? "-" : String(value);
