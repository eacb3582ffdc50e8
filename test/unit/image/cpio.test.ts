import { expect, test } from "vitest";
import { formatCpio } from "../../../src/image/cpio.ts";
import { Tree } from "../../../src/image/tree.ts";

interface Record {
  readonly name: string;
  readonly mode: number;
  readonly owner: string;
  readonly time: number;
  readonly inode: number;
  readonly device: string;
  readonly content: string;
}

/** Reads an archive back the way the kernel documentation describes it. */
function parse(bytes: Buffer): Record[] {
  const records: Record[] = [];
  for (let at = 0; ; ) {
    expect(bytes.toString("latin1", at, at + 6)).toBe("070701");
    const field = (index: number) =>
      Number.parseInt(bytes.toString("latin1", at + 6 + index * 8, at + 14 + index * 8), 16);
    const nameBytes = field(11);
    const name = bytes.toString("utf8", at + 110, at + 110 + nameBytes - 1);
    if (name === "TRAILER!!!") return records;
    const start = Math.ceil((at + 110 + nameBytes) / 4) * 4;
    const content = bytes.toString("latin1", start, start + field(6));
    records.push({
      name,
      mode: field(1),
      owner: `${field(2)}:${field(3)}`,
      time: field(5),
      inode: field(0),
      device: `${field(9)}:${field(10)}`,
      content,
    });
    at = Math.ceil((start + field(6)) / 4) * 4;
  }
}

function sampleTree(): Tree {
  const tree = new Tree();
  tree.addText("init", "#!/bin/sh\n", 0o755);
  tree.addLink("bin/sh", "busybox");
  tree.add("dev/console", {
    kind: "device",
    type: "character",
    mode: 0o600,
    major: 5,
    minor: 1,
  });
  return tree;
}

test("entries are sorted and parents come before their children", () => {
  const names = parse(formatCpio(sampleTree())).map(({ name }) => name);

  expect(names).toEqual(["bin", "bin/sh", "dev", "dev/console", "init"]);
});

test("everything belongs to root, has no time and counts its inode number", () => {
  const records = parse(formatCpio(sampleTree()));

  expect(records.map(({ owner, time }) => `${owner} ${time}`)).toEqual(Array(5).fill("0:0 0"));
  expect(records.map(({ inode }) => inode)).toEqual([1, 2, 3, 4, 5]);
});

test("types, permissions and contents are kept", () => {
  const byName = new Map(parse(formatCpio(sampleTree())).map((record) => [record.name, record]));

  expect(byName.get("bin")?.mode).toBe(0o040755);
  expect(byName.get("init")).toMatchObject({ mode: 0o100755, content: "#!/bin/sh\n" });
  expect(byName.get("bin/sh")).toMatchObject({ mode: 0o120777, content: "busybox" });
  expect(byName.get("dev/console")).toMatchObject({ mode: 0o020600, device: "5:1" });
});

test("the length lets another archive follow", () => {
  for (let extra = 0; extra < 8; extra++) {
    const tree = sampleTree();
    tree.addText("x".repeat(extra + 1), "y".repeat(extra));

    expect(formatCpio(tree).length % 512).toBe(0);
  }
});

test("the order in which entries were added does not matter", () => {
  const one = new Tree();
  one.addText("a", "1");
  one.addText("b", "2");
  const other = new Tree();
  other.addText("b", "2");
  other.addText("a", "1");

  expect(formatCpio(one).equals(formatCpio(other))).toBe(true);
});
