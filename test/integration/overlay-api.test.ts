import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ZeroTierApi } from "../../src/network/overlay/zerotier-api.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { linuxFiles } from "../../src/sys/files-linux.ts";

const TOKEN = "s3cr3tt0k3n";
const NETWORK = "8056c2e21c000001";

let home: string;
let server: Server | undefined;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "node0-overlay-api-"));
  writeFileSync(join(home, "authtoken.secret"), `${TOKEN}\n`);
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(home, { recursive: true });
});

async function serve(listener: RequestListener): Promise<ZeroTierApi> {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  writeFileSync(join(home, "zerotier-one.port"), `${(server.address() as AddressInfo).port}`);
  return client();
}

const client = (port?: number): ZeroTierApi =>
  new ZeroTierApi({
    files: linuxFiles,
    clock: systemClock,
    home,
    limitMs: 300,
    ...(port === undefined ? {} : { port: () => port }),
  });

const refused = (kind: string, why: string) => ({
  code: "E_OVERLAY_API",
  fields: { kind, why: expect.stringContaining(why) as string },
});

test("each call is the request the service documents", async () => {
  const seen: string[] = [];
  const api = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const { method, url, headers } = request;
      seen.push(`${method} ${url} ${headers["x-zt1-auth"] === TOKEN} ${body}`);
      response.end(url === "/network" ? "[{}]" : "{}");
    });
  });
  await api.status();
  await api.networks();
  await api.network(NETWORK);
  await api.join(NETWORK);
  await api.leave(NETWORK);
  await api.orbit("deadbeef00", "deadbeef00");
  await api.deorbit("deadbeef00");
  expect(seen).toStrictEqual([
    "GET /status true ",
    "GET /network true ",
    `GET /network/${NETWORK} true `,
    `POST /network/${NETWORK} true {}`,
    `DELETE /network/${NETWORK} true `,
    'POST /moon/deadbeef00 true {"seed":"deadbeef00"}',
    "DELETE /moon/deadbeef00 true ",
  ]);
});

test("what the service does not have is told apart from a failure", async () => {
  const api = await serve((_, response) => {
    response.writeHead(404).end("{}");
  });
  expect(await api.network(NETWORK)).toBeUndefined();
  expect(await api.leave(NETWORK)).toBe(false);
  expect(await api.deorbit("deadbeef00")).toBe(false);
});

test.each<[string, string, string, RequestListener]>([
  ["a refused token", "token", "refused the token", (_, to) => to.writeHead(401).end("{}")],
  ["a forbidden token", "token", "refused the token", (_, to) => to.writeHead(403).end("{}")],
  ["a failure", "answer", "status 500 seen", (_, to) => to.writeHead(500).end("{}")],
  [
    "a redirect",
    "answer",
    "status 302 seen",
    (_, to) => to.writeHead(302, { Location: "/x" }).end(),
  ],
  ["an array for an object", "answer", "not an object", (_, to) => to.end("[]")],
  ["a text", "answer", "not an object", (_, to) => to.end('"OK"')],
  ["nothing", "answer", "not JSON", (_, to) => to.end()],
  ["a page", "answer", "not JSON", (_, to) => to.end("<html>")],
  ["an endless answer", "answer", "less than 1 MiB", (_, to) => to.end("x".repeat(2_000_000))],
  ["a closed connection", "answer", "", (request) => request.destroy()],
  ["silence", "silent", "no answer within 0.3 s", () => {}],
  ["half an answer", "silent", "no answer within 0.3 s", (_, to) => to.write("{")],
])("%s is told in plain words", async (_, kind, why, listener) => {
  const api = await serve(listener);
  const error: unknown = await api.status().catch((reason: unknown) => reason);
  expect(error).toMatchObject(refused(kind, why));
  expect(String((error as Error).message)).not.toContain(TOKEN);
});

test("a list that is none, and a list with something else in it, are refused", async () => {
  let answer = "{}";
  const api = await serve((_, response) => response.end(answer));
  await expect(api.networks()).rejects.toMatchObject(refused("answer", "not an array"));
  answer = "[7]";
  await expect(api.networks()).rejects.toMatchObject(refused("answer", "not an object"));
});

test("without a listener and without a token the service is only starting", async () => {
  await expect(client(1).status()).rejects.toMatchObject(refused("starting", "127.0.0.1:1"));
  rmSync(join(home, "authtoken.secret"));
  await expect(client(1).status()).rejects.toMatchObject(refused("starting", "no token yet"));
});

test("a token that would break the header is not used, and not shown", async () => {
  writeFileSync(join(home, "authtoken.secret"), "abc\r\nX-Evil: 1");
  const error: unknown = await client(1)
    .status()
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject(refused("starting", "no token yet"));
  expect(String(error)).not.toContain("Evil");
});
