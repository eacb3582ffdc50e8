import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/sys/clock.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";
import { readSession, readUnlock } from "../../src/vault/controller-answers.ts";
import { ControllerClient } from "../../src/vault/controller-client.ts";
import { type ClientIdentity, JSON_LIMITS } from "../../src/vault/controller-request.ts";
import { type DatedCa, type DatedCertificate, makeDatedCa } from "./support/dated-ca.ts";
import {
  clientName,
  type Handler,
  json,
  openVaultServer,
  type VaultServer,
} from "./support/vault-server.ts";

const LIMITS = { ...JSON_LIMITS, connectMs: 2000, headersMs: 400, wholeMs: 800 };
const PENDING = { state: "pending", node: "abc", reason: "", nowMs: 1 };
const directory = mkdtempSync(join(tmpdir(), "node0-client-"));
const caFile = join(directory, "ca.pem");
const servers: VaultServer[] = [];
const listeners: Server[] = [];
let ours: DatedCa;
let identity: DatedCertificate;

beforeAll(async () => {
  ours = await makeDatedCa();
  identity = await ours.issue({ use: "server", name: "127.0.0.1" });
  writeFileSync(caFile, ours.certificate);
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  for (const listener of listeners.splice(0)) listener.close();
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function serve(handler: Handler, over: Partial<Parameters<typeof openVaultServer>[0]> = {}) {
  const server = await openVaultServer({ ca: ours, identity, handler, ...over });
  servers.push(server);
  return server;
}

/** A port where something that is no TLS server listens. */
async function listen(onConnection: Parameters<typeof createServer>[1]): Promise<string> {
  const listener = createServer(onConnection);
  listeners.push(listener);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return `https://127.0.0.1:${(listener.address() as { port: number }).port}`;
}

const clientOf = (urls: readonly string[], over: { ca?: string; address?: string } = {}) =>
  new ControllerClient({
    controllers: () => urls.map((url) => ({ url, ca: over.ca ?? caFile })),
    address: () => over.address,
    files: linuxFiles,
    clock: systemClock,
  });

function unlock(client: ControllerClient, signal = new AbortController().signal) {
  const body = { macs: ["52:54:00:00:00:01"] };
  const ask = { method: "POST", path: "/v1/unlock", body, limits: LIMITS, signal } as const;
  return client.ask({ ...ask, read: readUnlock });
}

async function reasonOf(url: string, over: { ca?: string; address?: string } = {}) {
  const error = await unlock(clientOf([url], over)).then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  expect(error).toMatchObject({ code: "E_CONTROLLER" });
  return error?.message.replace(`${url}: `, "");
}

test("a request is answered over a connection that is closed afterwards", async () => {
  const bodies: string[] = [];
  const server = await serve((_request, response, body) => {
    bodies.push(body);
    json(response, 202, PENDING);
  });
  expect(await unlock(clientOf([server.url]))).toEqual({ url: server.url, answer: PENDING });
  expect(server.asked).toEqual(["POST /v1/unlock"]);
  expect(bodies).toEqual(['{"macs":["52:54:00:00:00:01"]}']);
  await expect.poll(() => server.connections()).toBe(0);
});

test.each<[string, Handler, string]>([
  ["hangs", () => {}, "connected, but no answer within 0.4 s"],
  [
    "says 500",
    (_q, r) => json(r, 500, { code: "E", message: "disk full" }),
    "status 500: disk full",
  ],
  ["says 502 in HTML", (_q, r) => r.writeHead(502).end("<html>"), "it answered with status 502"],
  ["says 403 without a state", (_q, r) => json(r, 403, { message: "no" }), "status 403: no"],
  ["says garbage", (_q, r) => r.end("\u0000\u0001{{{"), "the answer is not a JSON object"],
  [
    "redirects",
    (_q, r) => r.writeHead(302, { location: "https://evil.example/" }).end(),
    "it answered with a redirect (302), which is not followed",
  ],
  [
    "announces too much",
    (_q, r) => r.writeHead(200, { "content-length": "99999999" }).end("x"),
    "the answer is larger than 65536 bytes",
  ],
  [
    "sends too much",
    (_q, r) => {
      const fill = (): void => {
        if (!r.destroyed) r.write("x".repeat(16_384), fill);
      };
      fill();
    },
    "the answer is larger than 65536 bytes",
  ],
  [
    "ends in the middle",
    (_q, r) => {
      r.writeHead(200, { "content-length": "100" });
      r.write("{", () => r.destroy());
    },
    "the connection ended in the middle of the answer",
  ],
])("a controller that %s is told in plain words", async (_what, handler, reason) => {
  const server = await serve(handler);
  expect(await reasonOf(server.url)).toContain(reason);
  await expect.poll(() => server.connections()).toBe(0);
});

test("a controller that drips its answer is given up after the limit for the whole", async () => {
  let timer: NodeJS.Timeout | undefined;
  const server = await serve((_request, response) => {
    response.writeHead(202);
    timer = setInterval(() => response.write(" "), 50);
    response.on("close", () => clearInterval(timer));
  });
  expect(await reasonOf(server.url)).toBe("the answer did not end within 0.8 s");
  await expect.poll(() => server.connections()).toBe(0);
});

test("a port that accepts and says nothing is given up after the limit for connecting", async () => {
  const url = await listen(() => {});
  const limits = { ...LIMITS, connectMs: 300 };
  const { signal } = new AbortController();
  const ask = { method: "GET", path: "/v1/session", limits, signal, read: readSession } as const;
  await expect(clientOf([url]).ask(ask)).rejects.toThrow("no TLS connection within 0.3 s");
});

test("what talks no TLS, or nothing at all, is told", async () => {
  const url = await listen((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
  expect(await reasonOf(url)).toBe("not a TLS server");
  const gone = await serve(() => {});
  await gone.close();
  expect(await reasonOf(gone.url)).toBe("connection refused");
});

test("a certificate of another CA is refused before anything is sent", async () => {
  const foreign = await makeDatedCa("dated authority");
  const server = await serve((_q, r) => json(r, 202, PENDING), {
    identity: await foreign.issue({ use: "server", name: "127.0.0.1" }),
  });
  expect(await reasonOf(server.url)).toBe(`certificate not signed by the CA in ${caFile}`);
  expect(server.asked).toEqual([]);
});

test("certificates out of their dates, or for another name, are refused", async () => {
  const make = async (over: { name?: string; from?: Date; to?: Date }) =>
    serve((_q, r) => json(r, 202, PENDING), {
      identity: await ours.issue({ use: "server", name: "127.0.0.1", ...over }),
    });
  const expired = await make({ to: new Date("2021-01-01") });
  expect(await reasonOf(expired.url)).toBe("certificate has expired, or the clock is wrong");
  const early = await make({ from: new Date("2100-01-01") });
  expect(await reasonOf(early.url)).toBe("certificate is not valid yet, or the clock is wrong");
  const other = await make({ name: "other.example" });
  expect(await reasonOf(other.url)).toBe("certificate is for another name");
});

test("at another address the certificate is still that of the URL's host", async () => {
  const named = await ours.issue({ use: "server", name: "controller.example" });
  const server = await serve((_q, r) => json(r, 202, PENDING), { identity: named });
  const url = `https://controller.example:${server.port}`;
  const over = { address: "127.0.0.1" };
  expect(await unlock(clientOf([url], over))).toEqual({ url, answer: PENDING });
  const wrong = `https://other.example:${server.port}`;
  expect(await reasonOf(wrong, over)).toBe("certificate is for another name");
});

test("a CA file that is missing or none is the reason", async () => {
  const broken = join(directory, "broken.pem");
  writeFileSync(broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const missing = join(directory, "missing.pem");
  expect(await reasonOf("https://127.0.0.1:1", { ca: missing })).toBe(
    `cannot read its CA file ${missing}`,
  );
  const server = await serve((_q, r) => json(r, 202, PENDING));
  expect(await reasonOf(server.url, { ca: broken })).toContain("CA");
  expect(server.asked).toEqual([]);
});

test("of several controllers the one that answered last is asked first", async () => {
  const first = await serve((_q, r) => json(r, 500, { message: "down" }));
  const second = await serve((_q, r) => json(r, 202, PENDING));
  const client = clientOf([first.url, second.url]);
  expect((await unlock(client)).url).toBe(second.url);
  expect((await unlock(client)).url).toBe(second.url);
  expect(first.asked).toHaveLength(1);
  second.handler = (_q, r) => json(r, 500, { message: "down too" });
  await expect(unlock(client)).rejects.toThrow(
    `${second.url}: it answered with status 500: down too, ${first.url}: it answered with status 500: down`,
  );
});

test("its signal ends a request at once", async () => {
  const server = await serve(() => {});
  const control = new AbortController();
  const end = unlock(clientOf([server.url]), control.signal);
  await expect.poll(() => server.asked.length).toBe(1);
  control.abort(new Error("going down"));
  await expect(end).rejects.toThrow("going down");
  await expect.poll(() => server.connections()).toBe(0);
});

const session = (url: string, client: DatedCertificate) => {
  const identity: ClientIdentity = {
    certificate: Buffer.from(client.certificate),
    key: Buffer.from(client.key),
  };
  const { signal } = new AbortController();
  const ask = { method: "GET", path: "/v1/session", identity, signal, read: readSession } as const;
  return clientOf([url]).ask(ask);
};

test("the client certificate is shown; an expired or foreign one is a definite refusal", async () => {
  const server = await serve((request, response) => {
    const node = clientName(request);
    if (node === undefined) json(response, 401, { code: "E_CERTIFICATE", message: "not valid" });
    else json(response, 200, { node, nowMs: 1 });
  });
  const good = await ours.issue({ use: "client", name: "abc" });
  expect((await session(server.url, good)).answer).toEqual({ node: "abc", nowMs: 1 });
  const expired = await ours.issue({ use: "client", name: "abc", to: new Date("2021-01-01") });
  const foreign = await (await makeDatedCa()).issue({ use: "client", name: "abc" });
  for (const refused of [expired, foreign, { ...good, key: foreign.key }]) {
    await expect(session(server.url, refused)).rejects.toMatchObject({
      code: "E_CONTROLLER_IDENTITY",
    });
  }
});
