import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTexts } from "../../../src/startup/read-texts.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-startup-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const path = (name: string): string => join(directory, name);
const read = () => readTexts([{ path: directory, isRequired: true }]);

test("files of a directory are read in the order of their names, and no others", async () => {
  for (const name of ["b.toml", "a.toml", "c.txt", ".toml", "toml"]) {
    writeFileSync(path(name), `# ${name}`);
  }
  mkdirSync(path("below"));
  writeFileSync(path("below/d.toml"), "");
  const { texts, problems } = await read();
  expect(texts.map(({ file, text }) => [file, text])).toEqual([
    [path(".toml"), "# .toml"],
    [path("a.toml"), "# a.toml"],
    [path("b.toml"), "# b.toml"],
  ]);
  expect(problems).toEqual([]);
});

test("a place may be a file, and is named as the operator knows it", async () => {
  writeFileSync(path("a.conf"), "x = 1");
  const places = [{ path: path("a.conf"), shown: "/mnt/etc/a.conf", isRequired: true }];
  expect(await readTexts(places)).toEqual({
    texts: [{ file: "/mnt/etc/a.conf", text: "x = 1" }],
    problems: [],
  });
});

test("a place that is not there is a problem only where it is asked for", async () => {
  const [a, b] = [path("a"), path("b")];
  const { problems } = await readTexts([
    { path: a, isRequired: true },
    { path: b, isRequired: false },
  ]);
  expect(problems).toEqual([`Cannot read ${a}: ENOENT`]);
});

test("whatever lies in a directory, it is read at once", async () => {
  execFileSync("mkfifo", [path("pipe.toml")]);
  symlinkSync("/dev/zero", path("device.toml"));
  symlinkSync("loop.toml", path("loop.toml"));
  symlinkSync("nowhere", path("dangling.toml"));
  symlinkSync("pipe.toml", path("to-pipe.toml"));
  symlinkSync("good", path("to-good.toml"));
  writeFileSync(path("good"), "good");
  mkdirSync(path("directory.toml"));
  writeFileSync(path("large.toml"), Buffer.alloc(10 * 1024 * 1024));
  writeFileSync(path("\u001b[2Jred\n.toml"), Buffer.alloc(300_000));
  const socket = createServer().listen(path("socket.toml"));
  const before = performance.now();
  const { texts, problems } = await read();
  socket.close();
  expect(performance.now() - before).toBeLessThan(4000);
  expect(texts).toEqual([{ file: path("to-good.toml"), text: "good" }]);
  const told = problems.map((problem) => problem.replaceAll(directory, ""));
  expect(told).toEqual([
    "Cannot read /?[2Jred?.toml: 300000 bytes seen, expected at most 262144",
    "Cannot read /dangling.toml: ENOENT",
    "Cannot read /device.toml: something else seen, expected a file",
    "Cannot read /directory.toml: something else seen, expected a file",
    "Cannot read /large.toml: 10485760 bytes seen, expected at most 262144",
    "Cannot read /loop.toml: ELOOP",
    "Cannot read /pipe.toml: something else seen, expected a file",
    "Cannot read /socket.toml: something else seen, expected a file",
    "Cannot read /to-pipe.toml: something else seen, expected a file",
  ]);
});

test("a file that never ends is read up to the limit", async () => {
  // Its size is 0, and it has more to say than is allowed.
  symlinkSync("/proc/kallsyms", path("endless.toml"));
  const { texts, problems } = await read();
  expect(texts).toEqual([]);
  expect(problems).toEqual([
    `Cannot read ${path("endless.toml")}: more than 262144 bytes seen, expected at most 262144`,
  ]);
});

test("of very many files the first are read", async () => {
  for (let at = 0; at < 501; at += 1) writeFileSync(path(`${1000 + at}.toml`), "");
  const { texts, problems } = await read();
  expect(texts).toHaveLength(500);
  expect(problems).toEqual([
    `Cannot read all of ${directory}: 501 files seen, expected at most 500`,
  ]);
});
