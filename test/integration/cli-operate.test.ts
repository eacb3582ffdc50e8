import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { FakeIo } from "../unit/cli/fake-io.ts";
import { HostAgent } from "./cli-agent.ts";

const agent = new HostAgent();
let remote = "";

beforeAll(async () => {
  await agent.start();
  remote = join(agent.directory, "remote");
  mkdirSync(remote);
});
afterAll(() => agent.stop());

/** Runs the tool in this process: what it prints is what it would write. */
async function cli(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = new FakeIo();
  io.cwd = agent.directory;
  const target = ["--port", String(agent.port), "--password-file", agent.passwordFile];
  const code = await runCli([...target, ...words], io);
  return { code, out: io.out, err: io.err };
}

const done = { code: 0, out: "", err: "" };
const path = (...names: string[]): string => join(remote, ...names);

test("fs: bytes of every kind arrive as they are, there and back", async () => {
  // More than two blocks, the last one not full.
  const bytes = randomBytes(1_200_000);
  writeFileSync(join(agent.directory, "sent"), bytes);
  expect(await cli("fs", "put", "--mode", "640", "sent", path("file"))).toEqual(done);
  expect(readFileSync(path("file")).equals(bytes)).toBe(true);
  expect(statSync(path("file")).mode & 0o777).toBe(0o640);

  expect(await cli("fs", "get", path("file"), "got")).toEqual(done);
  expect(readFileSync(join(agent.directory, "got")).equals(bytes)).toBe(true);
  expect(await cli("fs", "get", path("file"))).toEqual(done);
  expect(readFileSync(join(agent.directory, "file")).equals(bytes)).toBe(true);
  expect(readdirSync(remote)).toEqual(["file"]);

  const child = agent.spawn("fs", "cat", path("file"));
  child.stdin.end();
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(child, "close");
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
});

test("fs: standard input becomes a file; a name that ends in a slash is a directory", async () => {
  expect(await agent.cli(["fs", "put", "-", path("typed")], "from a pipe\n")).toEqual(done);
  expect(readFileSync(path("typed"), "utf8")).toBe("from a pipe\n");
  expect(await cli("fs", "put", "sent", `${remote}/`)).toEqual(done);
  expect(existsSync(path("sent"))).toBe(true);
  expect((await cli("fs", "put", "-", `${remote}/`)).err).toContain("expected the name of a file");
});

test("fs: a transfer that fails leaves the old file and nothing beside it", async () => {
  writeFileSync(path("kept"), "old");
  const { code, err } = await cli("fs", "put", "no-such-file", path("kept"));
  expect(code).toBe(1);
  expect(err).toMatch(/^node0: Cannot read .*no-such-file: ENOENT/);
  writeFileSync(join(agent.directory, "mine"), "old");
  expect((await cli("fs", "get", path("missing"), "mine")).code).toBe(1);
  expect(readFileSync(join(agent.directory, "mine"), "utf8")).toBe("old");
  expect((await cli("fs", "put", "sent", path("no-directory/x"))).code).toBe(1);
  expect((await cli("fs", "get", path("typed"), "no-directory/x")).err).toContain("Cannot write");
  const leftovers = [...readdirSync(remote), ...readdirSync(agent.directory)];
  expect(leftovers.filter((name) => name.includes(".part"))).toEqual([]);
  expect(readFileSync(path("kept"), "utf8")).toBe("old");
});

test("fs: directories are made, listed and removed when asked for", async () => {
  expect(await cli("fs", "mkdir", path("a/b"))).toEqual(done);
  writeFileSync(path("a/note"), "12345", { mode: 0o600 });
  const { out } = await cli("fs", "ls", path("a"));
  expect(out).toBe("MODE        SIZE  NAME\ndrwxr-xr-x  -     b/\n-rw-------  5 B   note\n");
  expect(JSON.parse((await cli("fs", "ls", path("a"), "-o", "json")).out)).toMatchObject([
    { name: "b", is_dir: true },
    { name: "note", size: 5, mode: 0o600, is_dir: false },
  ]);
  expect((await cli("fs", "rm", path("a"))).err).toContain("it is a directory; --recursive");
  expect((await cli("fs", "rm", path("nothing"))).err).toContain("there is no such file");
  expect(await cli("fs", "rm", path("a/note"))).toEqual(done);
  expect(await cli("fs", "rm", "-r", path("a"))).toEqual(done);
  expect(existsSync(path("a"))).toBe(false);
});

test("fs: says what is missing or too much", async () => {
  expect(await cli("fs", "put", "x")).toMatchObject({ code: 2 });
  expect(await cli("fs", "cat")).toMatchObject({ code: 2 });
  expect(await cli("fs", "rm", "a", "b")).toMatchObject({ code: 2 });
  expect(await cli("fs", "put", "--mode", "999", "a", "b")).toMatchObject({ code: 2 });
});

test("logs: the past by job, level and number, as lines and as objects", async () => {
  const script = "echo one; echo two >&2; echo '8::three'; echo four";
  await cli("run", "--id", "talker", "--", "sh", "-c", script);
  const lines = (await cli("logs", "--job", "talker")).out.trimEnd().split("\n");
  expect(lines.map((line) => line.replace(/^\S+Z {2}/, ""))).toEqual(
    expect.arrayContaining(["talker  stderr  two", "talker  error  three"]),
  );
  const errors = await cli("logs", "--job", "talker", "-l", "error", "-o", "json");
  expect(JSON.parse(errors.out)).toEqual({
    time: expect.stringMatching(/^20.*Z$/),
    job: "talker",
    level: 8,
    text: "three\n",
  });
  const last = await cli("logs", "--job", "talker", "-l", "1", "-n", "1");
  expect(last.out).toMatch(/talker {2}stdout {2}four\n$/);
  expect(await cli("logs", "-l", "loud")).toMatchObject({ code: 2 });
  // Nothing of the asking stays on the node.
  const redis = new Redis({ path: join(agent.directory, "state/redis.sock") });
  expect(await redis.keys("logger:*")).toEqual([]);
  redis.disconnect();
});

test("logs -f: past and news once each, until the tool is ended", async () => {
  const child = agent.spawn("logs", "-f", "--job", "talker", "--job", "late", "-o", "json");
  child.stdin.end();
  const seen: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { job, text } = JSON.parse(line) as { job: string; text: string };
    for (const part of text.trimEnd().split("\n")) seen.push(`${job} ${part}`);
  });
  await expect.poll(() => seen.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(4);
  await cli("run", "--id", "late", "--", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.1; done");
  await expect.poll(() => seen, { timeout: 20_000 }).toContain("late 3");
  child.kill("SIGINT");
  const [code] = (await once(child, "close")) as [number];
  expect(code).toBe(130);
  const news = seen.filter((line) => line.startsWith("late"));
  expect(news).toEqual(["late 1", "late 2", "late 3"]);
  expect(seen.filter((line) => line === "talker three")).toHaveLength(1);
});

test("logs -f: goes on when the machine was away", async () => {
  const child = agent.spawn("logs", "-f", "-n", "0", "--job", "after", "-o", "json");
  child.stdin.end();
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  await expect.poll(() => listeners(), { timeout: 20_000 }).toBeGreaterThan(0);
  await agent.crash();
  await expect.poll(() => err, { timeout: 20_000 }).toContain("cannot be reached");
  await agent.start();
  await expect.poll(() => err, { timeout: 20_000 }).toContain("the machine is back");
  await expect.poll(() => listeners(), { timeout: 20_000 }).toBeGreaterThan(0);
  await cli("run", "--id", "after", "--", "echo", "still here");
  await expect.poll(() => out, { timeout: 20_000 }).toContain("still here");
  child.kill("SIGTERM");
  expect(await once(child, "close")).toEqual([143, null]);
});

/** How many clients listen to the log. */
async function listeners(): Promise<number> {
  const redis = new Redis({ path: join(agent.directory, "state/redis.sock") });
  try {
    const [, count] = (await redis.call("PUBSUB", "NUMSUB", "log")) as [string, number];
    return count;
  } finally {
    redis.disconnect();
  }
}

test("call --help shows what the registry says", async () => {
  const { code, out } = await cli("call", "process.kill", "--help");
  expect(code).toBe(0);
  expect(out).toContain("Usage: node0 call process.kill JSON");
  expect(out).toMatch(/pid .*\(integer, required/);
  expect((await cli("call", "process.klil", "--help")).err).toContain("did you mean process.kill?");
  expect((await cli("call", "--help")).out).toContain("Usage: node0 call [OPTION...] COMMAND");
});

test("events: follows the machine until its time is over", async () => {
  const { code, err } = await cli("events", "--timeout", "1.5");
  // An agent on a host has neither booted nor looked for a network.
  expect({ code, err }).toEqual({ code: 0, err: "" });
});
