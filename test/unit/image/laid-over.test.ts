import { expect, test } from "vitest";
import { compareLaidOver, hashTree } from "../../../src/image/laid-over.ts";
import { checkStartable, finishLayer } from "../../../src/image/own-parts.ts";
import { Tree } from "../../../src/image/tree.ts";
import { buildElf } from "./build-elf.ts";

const SHIPPED = ["etc/hosts", "etc/node0/node0.toml", "usr/bin/sh"];

function treeOf(files: Readonly<Record<string, string>>): Tree {
  const tree = new Tree();
  for (const [path, text] of Object.entries(files)) tree.addText(path, text);
  return tree;
}

test("a shipped file that is replaced is named, a new one is not", () => {
  const tree = treeOf({ "etc/hosts": "x", "etc/motd": "y" });
  expect(compareLaidOver(tree, new Set(SHIPPED))).toEqual(["/etc/hosts is replaced"]);
});

test("of many replaced files ten are named and the others counted", () => {
  const paths = Array.from({ length: 12 }, (_none, index) => `etc/${index}`);
  const tree = treeOf(Object.fromEntries(paths.map((path) => [path, ""])));
  const notes = compareLaidOver(tree, new Set(paths));
  expect(notes).toHaveLength(11);
  expect(notes.at(-1)).toBe("2 more files are replaced");
});

test("a file in place of a directory is refused", () => {
  expect(() => compareLaidOver(treeOf({ "etc/node0": "" }), new Set(SHIPPED))).toThrow(
    "Cannot lay /etc/node0 over the image: a file seen, expected a directory as in the image",
  );
});

test("a link in place of a directory is refused", () => {
  const tree = new Tree();
  tree.addLink("etc", "usr/etc");
  expect(() => compareLaidOver(tree, new Set(SHIPPED))).toThrow("/etc over the image: a symlink");
});

test("a directory in place of a file is refused", () => {
  expect(() => compareLaidOver(treeOf({ "usr/bin/sh/x": "" }), new Set(SHIPPED))).toThrow(
    "/usr/bin/sh over the image: a directory seen, expected a file or link",
  );
});

test("contents, modes, links and empty directories each give a tree another name", async () => {
  const trees = [
    treeOf({ a: "1" }),
    treeOf({ a: "2" }),
    treeOf({ b: "1" }),
    (() => {
      const tree = new Tree();
      tree.addText("a", "1", 0o600);
      return tree;
    })(),
    (() => {
      const tree = treeOf({ a: "1" });
      tree.addDirectory("empty");
      return tree;
    })(),
    (() => {
      const tree = treeOf({ a: "1" });
      tree.addDirectory("empty", 0o700);
      return tree;
    })(),
    (() => {
      const tree = new Tree();
      tree.addLink("a", "1");
      return tree;
    })(),
  ];
  const names = await Promise.all(trees.map(hashTree));
  expect(new Set(names).size).toBe(trees.length);
  expect(await hashTree(treeOf({ a: "1" }))).toBe(names[0]);
});

const base = SHIPPED.map((path) => ({ path, sizeBytes: 1, sha256: "" }));
const bytes = buildElf({ interpreter: null, libraries: ["libzt.so.1"] });
const zerotier = { file: "/tmp/zerotier-one", sha256: "", bytes };

test("the last of several directories is on top of the agent", () => {
  const notes: string[] = [];
  const laidOver = [treeOf({ "etc/motd": "first" }), treeOf({ "etc/motd": "last" })];
  const layer = treeOf({ "usr/lib/node0/agent.cjs": "" });
  const whole = finishLayer(
    { layer, own: { laidOver, zerotier: null } },
    { base, say: (line) => notes.push(line) },
  );
  expect(whole.get("etc/motd")).toMatchObject({ source: Buffer.from("last") });
  expect(whole.get("usr/lib/node0/agent.cjs")).toBeDefined();
  expect(notes).toEqual(["/etc/motd is replaced"]);
});

test("a library the program needs may come along, and is named when it does not", () => {
  const check = (...laidOver: Tree[]) =>
    checkStartable({ laidOver, zerotier }, treeOf({ "usr/bin/sh": "" }));
  expect(() => check()).toThrow(
    "Cannot start /tmp/zerotier-one in the image: libzt.so.1 missing, expected to be part of it",
  );
  expect(() => check(treeOf({ "usr/lib/libzt.so.1": "" }))).not.toThrow();
});
