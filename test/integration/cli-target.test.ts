import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CONTEXT_FILE, resolveTarget, type TargetRequest } from "../../src/cli/target.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "node0-target-"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function resolveHere(request: Omit<TargetRequest, "cwd">, cwd = directory) {
  return resolveTarget({ localSocket: join(directory, "no.sock"), ...request, cwd });
}

function writeContext(value: unknown, file = CONTEXT_FILE): string {
  const path = join(directory, file);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  return path;
}

const wrong = (text: string) =>
  expect.objectContaining({ code: "E_TARGET", message: expect.stringContaining(text) });

test("finds the context file of a directory above, its paths relative to it", () => {
  writeContext({ host: "127.0.0.1", port: 7000, passwordFile: "password" });
  const below = join(directory, "a/b");
  mkdirSync(below, { recursive: true });

  expect(resolveHere({}, below)).toMatchObject({
    host: "127.0.0.1",
    port: 7000,
    socket: "",
    passwordFile: join(directory, ".node0/password"),
  });
});

test("prefers options to a context file, and does not send them its password", () => {
  writeContext({ host: "127.0.0.1", port: 7000, passwordFile: "password" });

  expect(resolveHere({ host: "10.0.0.9" })).toMatchObject({
    host: "10.0.0.9",
    port: 6379,
    passwordFile: undefined,
  });
  expect(resolveHere({ port: 7001 })).toMatchObject({ port: 7001, passwordFile: undefined });
});

test("takes another password file for the machine of a context file", () => {
  writeContext({ port: 7000, passwordFile: "password" });

  expect(resolveHere({ passwordFile: "other" })).toMatchObject({
    port: 7000,
    passwordFile: join(directory, "other"),
  });
});

test("prefers --context to NODE0_CONTEXT, and that to the nearest file", () => {
  writeContext({ port: 1 });
  writeContext({ port: 2 }, "two.json");
  writeContext({ port: 3 }, "three.json");
  const environmentContext = join(directory, "two.json");

  expect(resolveHere({}).port).toBe(1);
  expect(resolveHere({ environmentContext }).port).toBe(2);
  expect(resolveHere({ environmentContext, context: "three.json" }).port).toBe(3);
});

test("uses the socket of an agent on this machine when nothing else is named", () => {
  const localSocket = join(directory, "redis.sock");
  writeFileSync(localSocket, "");

  expect(resolveHere({ localSocket })).toMatchObject({
    socket: localSocket,
    passwordFile: undefined,
  });
});

test("says what to do when there is no machine", () => {
  expect(() => resolveHere({})).toThrow(wrong("scripts/up"));
});

test.each([
  ["no JSON", "{", "Cannot use the context file"],
  ["a port that is none", { port: 70_000 }, "context.port"],
  ["a host that is no text", { host: 1 }, "context.host"],
])("refuses a context file with %s", (_name, value, text) => {
  writeContext(value);

  expect(() => resolveHere({})).toThrow(wrong(text));
});

test("refuses a named context file that is not there", () => {
  expect(() => resolveHere({ context: "x.json" })).toThrow(wrong("no such file"));
});

test("refuses a socket together with a host", () => {
  expect(() => resolveHere({ socket: "s", host: "h" })).toThrow(wrong("--socket"));
});
