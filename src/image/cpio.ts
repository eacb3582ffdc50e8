import { readFileSync } from "node:fs";
import type { Tree, TreeEntry } from "./tree.ts";

const BLOCK_BYTES = 512;
const TYPE_BITS = { directory: 0o040000, file: 0o100000, symlink: 0o120000 } as const;
const DEVICE_BITS = { block: 0o060000, character: 0o020000 } as const;

/**
 * Packs a tree as one "new ASCII" cpio archive: what the kernel unpacks as its first file system.
 * Same tree, same bytes: entries sorted by path, inode numbers counted from 1, owner 0:0, time 0.
 * The length is a multiple of 512, so that archives may follow one another.
 *
 * Source: kernel documentation, "initramfs buffer format"; cpio(5), "New ASCII Format".
 */
export function formatCpio(tree: Tree): Buffer {
  const parts: Buffer[] = [];
  let inode = 1;
  for (const [path, entry] of tree.entries()) parts.push(...formatEntry(path, entry, inode++));
  parts.push(...formatRecord("TRAILER!!!", { mode: 0, inode: 0, links: 1 }, Buffer.alloc(0)));
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  parts.push(padding(sizeBytes, BLOCK_BYTES));
  return Buffer.concat(parts);
}

function formatEntry(path: string, entry: TreeEntry, inode: number): Buffer[] {
  switch (entry.kind) {
    case "directory":
      return formatRecord(path, { mode: TYPE_BITS.directory | entry.mode, inode, links: 2 });
    case "symlink":
      return formatRecord(
        path,
        { mode: TYPE_BITS.symlink | 0o777, inode, links: 1 },
        Buffer.from(entry.target),
      );
    case "device": {
      const { major, minor } = entry;
      const mode = DEVICE_BITS[entry.type] | entry.mode;
      return formatRecord(path, { mode, inode, links: 1, major, minor });
    }
    case "file": {
      const bytes = typeof entry.source === "string" ? readFileSync(entry.source) : entry.source;
      const mode = TYPE_BITS.file | entry.mode;
      return formatRecord(path, { mode, inode, links: 1 }, Buffer.from(bytes));
    }
  }
}

interface Header {
  readonly mode: number;
  readonly inode: number;
  readonly links: number;
  readonly major?: number;
  readonly minor?: number;
}

function formatRecord(path: string, header: Header, content: Buffer = Buffer.alloc(0)): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [
    header.inode,
    header.mode,
    0, // user id
    0, // group id
    header.links,
    0, // time
    content.length,
    0, // device of the file itself, major and minor
    0,
    header.major ?? 0,
    header.minor ?? 0,
    name.length,
    0, // checksum, unused by this format
  ];
  const hex = fields.map((value) => value.toString(16).padStart(8, "0")).join("");
  const head = Buffer.concat([Buffer.from(`070701${hex}`), name]);
  return [head, padding(head.length, 4), content, padding(content.length, 4)];
}

function padding(sizeBytes: number, unitBytes: number): Buffer {
  return Buffer.alloc((unitBytes - (sizeBytes % unitBytes)) % unitBytes);
}
