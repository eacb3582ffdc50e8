import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTls } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { TlsReach } from "../../src/network/tls-reach.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";
import { makeCa, type ThrowawayCa } from "./support/throwaway-ca.ts";

const LIMIT_MS = 5000;
const directory = mkdtempSync(join(tmpdir(), "node0-reach-"));
const servers: Server[] = [];
let ours: ThrowawayCa;
let foreign: ThrowawayCa;

beforeAll(() => {
  const make = (name: string): ThrowawayCa => {
    mkdirSync(join(directory, name));
    return makeCa(join(directory, name), name);
  };
  ours = make("ours");
  foreign = make("foreign");
});

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** @returns The port. */
async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function controller(ca: ThrowawayCa, names: readonly string[]): Promise<number> {
  const { certificate, key } = ca.issue(names);
  const server = createTls({ cert: readFileSync(certificate), key: readFileSync(key) });
  server.on("tlsClientError", () => undefined);
  server.on("secureConnection", (socket) => socket.on("error", () => undefined));
  return listen(server);
}

function reach(urls: readonly string[], over: { address?: string; limitMs?: number } = {}) {
  const controllers = urls.map((url) => ({ url, ca: ours.certificate }));
  const { signal } = new AbortController();
  return new TlsReach({ controllers, probes: [], files: linuxFiles }).try({
    limitMs: LIMIT_MS,
    signal,
    ...over,
  });
}

async function reasonOf(url: string, over: { address?: string; limitMs?: number } = {}) {
  const [result] = await reach([url], over);
  expect(result?.isReached).toBe(false);
  return result?.reason;
}

test("a controller whose certificate is signed by the configured CA is reached", async () => {
  const url = `https://127.0.0.1:${await controller(ours, ["127.0.0.1"])}`;
  expect(await reach([url])).toEqual([{ target: url, isReached: true, reason: "reached" }]);
});

test("a plain TCP listener on the port does not count", async () => {
  const silent = await listen(createServer());
  const limited = await reasonOf(`https://127.0.0.1:${silent}`, { limitMs: 300 });
  expect(limited).toBe("no answer within 0.3 s");
  const closing = await listen(createServer((socket) => socket.end()));
  expect(await reasonOf(`https://127.0.0.1:${closing}`)).toMatch(/closed|reset/);
});

test("a plain web server on the port does not count", async () => {
  const port = await listen(createHttp((_request, response) => response.end("hello")));
  expect(await reasonOf(`https://127.0.0.1:${port}`)).toBe("not a TLS server");
});

test("a certificate of another CA does not count", async () => {
  const port = await controller(foreign, ["127.0.0.1"]);
  expect(await reasonOf(`https://127.0.0.1:${port}`)).toBe(
    `certificate not signed by the CA in ${ours.certificate}`,
  );
});

test("a certificate of the CA for another name does not count", async () => {
  const port = await controller(ours, ["controller.example"]);
  expect(await reasonOf(`https://127.0.0.1:${port}`)).toBe("certificate is for another name");
});

test("at another address the certificate still has to be that of the URL's host", async () => {
  const port = await controller(ours, ["controller.example"]);
  const url = `https://controller.example:${port}`;
  const [result] = await reach([url], { address: "127.0.0.1" });
  expect(result).toMatchObject({ target: url, isReached: true });
  expect(await reasonOf(`https://other.example:${port}`, { address: "127.0.0.1" })).toBe(
    "certificate is for another name",
  );
});

test("nobody on the port is told from nobody at all", async () => {
  const port = await listen(createServer());
  servers.pop()?.close();
  expect(await reasonOf(`https://127.0.0.1:${port}`)).toBe("connection refused");
});

test("a CA file that is missing or no certificate is the reason", async () => {
  const files = linuxFiles;
  const { signal } = new AbortController();
  const broken = join(directory, "broken.pem");
  writeFileSync(broken, "no certificate");
  const port = await controller(ours, ["127.0.0.1"]);
  const tryWith = async (ca: string) => {
    const controllers = [{ url: `https://127.0.0.1:${port}`, ca }];
    const [result] = await new TlsReach({ controllers, probes: [], files }).try({
      limitMs: LIMIT_MS,
      signal,
    });
    return result;
  };
  expect(await tryWith("/nowhere/ca.pem")).toMatchObject({
    isReached: false,
    reason: "cannot read its CA file /nowhere/ca.pem",
  });
  expect((await tryWith(broken))?.isReached).toBe(false);
});

test("the first controller that works ends the try, without waiting for the others", async () => {
  const silent = await listen(createServer());
  const urls = [
    `https://127.0.0.1:${silent}`,
    `https://127.0.0.1:${await controller(ours, ["127.0.0.1"])}`,
  ];
  const results = await reach(urls, { limitMs: 60_000 });
  expect(results).toEqual([{ target: urls[1], isReached: true, reason: "reached" }]);
});

test("a try that is aborted ends with the reason of the signal", async () => {
  const silent = await listen(createServer());
  const controllers = [{ url: `https://127.0.0.1:${silent}`, ca: ours.certificate }];
  const abort = new AbortController();
  const started = new TlsReach({ controllers, probes: [], files: linuxFiles }).try({
    limitMs: 60_000,
    signal: abort.signal,
  });
  abort.abort(new Error("stopped by the test"));
  await expect(started).rejects.toThrow("stopped by the test");
});

test("without controllers a probe that accepts is enough", async () => {
  const port = await listen(createServer());
  const probes = [{ host: "127.0.0.1", port }];
  const { signal } = new AbortController();
  const results = await new TlsReach({ controllers: [], probes, files: linuxFiles }).try({
    limitMs: LIMIT_MS,
    signal,
  });
  expect(results).toEqual([{ target: `127.0.0.1:${port}`, isReached: true, reason: "reached" }]);
});
