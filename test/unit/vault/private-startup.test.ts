import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PrivateFiles } from "../../../src/vault/private-files.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-private-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const read = () => new PrivateFiles(directory).readStartup();

test("without start-up files there is nothing, and nothing wrong", async () => {
  expect(await read()).toEqual({ texts: new Map(), problems: [] });
  writeFileSync(join(directory, "conf.d"), "no directory");
  expect(await read()).toEqual({ texts: new Map(), problems: [] });
});

test("files are read in the order of their names, links and large ones are not", async () => {
  mkdirSync(join(directory, "conf.d/below.toml"), { recursive: true });
  const at = (name: string): string => join(directory, "conf.d", name);
  writeFileSync(at("b.toml"), "b");
  writeFileSync(at("a.toml"), "a");
  writeFileSync(at("notes"), "");
  writeFileSync(at("large.toml"), Buffer.alloc(300_000));
  symlinkSync("/etc/passwd", at("link.toml"));
  const { texts, problems } = await read();
  expect([...texts]).toEqual([
    ["a.toml", "a"],
    ["b.toml", "b"],
  ]);
  expect(problems).toEqual([
    "Cannot read conf.d/below.toml: something else seen, expected a file",
    "Cannot read conf.d/large.toml: 300000 bytes seen, expected at most 262144",
    "Cannot read conf.d/link.toml: a link seen, expected no link",
  ]);
});
