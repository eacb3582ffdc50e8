import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeNode } from "../../fakes/memory-controller.ts";
import { type ControllerServer, openControllerServer } from "../support/controller-server.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Ask {
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

let server: ControllerServer;
let ca: string;

beforeEach(async () => {
  server = await openControllerServer();
  ca = readFileSync(join(server.dir, "ca.crt"), "utf8");
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

test("nothing is shown without a login", async () => {
  server.put(makeNode({ id: "", note: "secret note" }));
  for (const path of ["/", "/machines/k3w9x0aab12c", "/audit", "/policy"]) {
    const answer = await ask(path);
    expect(answer).toMatchObject({ status: 303, text: "" });
    expect(answer.headers.location).toBe("/login");
  }
  expect(await ask("/events")).toMatchObject({ status: 401 });
});

test("the session cookie is out of reach of scripts, other hosts and plain HTTP", async () => {
  const { headers } = await ask("/login", { form: { token: server.token } });
  const [cookie = ""] = headers["set-cookie"] ?? [];
  expect(cookie).toMatch(/^__Host-node0-session=[\w-]{43}; /);
  expect(cookie.split("; ").slice(1)).toStrictEqual([
    "Path=/",
    "Secure",
    "HttpOnly",
    "SameSite=Strict",
  ]);
});

test("each login has a new session, and the cookie of an attacker is not taken over", async () => {
  const planted = "__Host-node0-session=planted";
  const answer = await ask("/login", {
    form: { token: server.token },
    headers: { cookie: planted },
  });
  expect(cookieOf(answer)).not.toContain("planted");
  expect((await ask("/", { headers: { cookie: planted } })).status).toBe(303);
});

test("every page forbids inline scripts, frames and caching", async () => {
  const { cookie } = await logIn();
  for (const path of ["/login", "/", "/audit", "/policy", "/machines/nosuchmachine"]) {
    const { headers } = await ask(path, { headers: path === "/login" ? {} : { cookie } });
    expect(headers["content-security-policy"]).toContain(
      "default-src 'none'; style-src 'self'; script-src 'self'",
    );
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({
      ...{ "cache-control": "no-store", "x-content-type-options": "nosniff" },
    });
  }
});

test("a form without the token of its session changes nothing", async () => {
  const id = server.put(makeNode({ id: "" }));
  const { cookie } = await logIn();
  const other = await logIn();
  for (const csrf of ["", "x", other.csrf]) {
    const form = { csrf, seen: "pending" };
    const answer = await ask(`/machines/${id}/approve`, { form, headers: { cookie } });
    expect(answer.status).toBe(403);
  }
  expect(stateOf(id)).toBe("pending");
});

test.each([
  ["another origin", { origin: "https://elsewhere.example" }],
  ["an opaque origin", { origin: "null" }],
  ["another site, by the browser's word", { "sec-fetch-site": "cross-site" }],
])("a form from %s changes nothing", async (_what, foreign) => {
  const id = server.put(makeNode({ id: "" }));
  const { cookie, csrf } = await logIn();
  const form = { csrf, seen: "pending" };
  const answer = await ask(`/machines/${id}/approve`, { form, headers: { cookie, ...foreign } });
  expect(answer.status).toBe(403);
  expect(stateOf(id)).toBe("pending");
  expect((await ask("/login", { form: { token: server.token }, headers: foreign })).status).toBe(
    403,
  );
});

test("a decision is taken, and leads back to where it was taken, never elsewhere", async () => {
  const { cookie, csrf } = await logIn();
  for (const [back, location] of [
    ["/?state=pending", "/?state=pending"],
    ["//evil.example/", undefined],
    ["https://evil.example/", undefined],
    ["/\\evil.example", undefined],
  ] as const) {
    const id = server.put(makeNode({ id: "", macs: [macOf(back.length)] }));
    const form = { csrf, seen: "pending", back };
    const answer = await ask(`/machines/${id}/approve`, { form, headers: { cookie } });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe(location ?? `/machines/${id}`);
    expect(stateOf(id)).toBe("approved");
  }
});

test("a decision on what the operator did not see is not taken", async () => {
  const id = server.put(makeNode({ id: "", state: "rejected" }));
  const { cookie, csrf } = await logIn();
  const form = { csrf, seen: "pending" };
  await ask(`/machines/${id}/approve`, { form, headers: { cookie } });
  expect(stateOf(id)).toBe("rejected");
  const { text } = await ask("/", { headers: { cookie } });
  expect(text).toContain(`Machine ${id} is rejected by now. Nothing was changed.`);
});

test("wrong tokens are answered less and less, the right one passes all the same", async () => {
  const wrong = (): Promise<Answer> => ask("/login", { form: { token: "wrong-token-0123456789" } });
  const [first, second, third] = [wrong(), wrong(), wrong()];
  const statuses = (await Promise.all([first, second, third])).map(({ status }) => status);
  expect(statuses.toSorted()).toStrictEqual([401, 429, 429]);
  expect((await ask("/login", { form: { token: server.token } })).status).toBe(303);
  const { audit } = server.controller.core.store;
  const outcomes = audit.list(0, 100).filter(({ action }) => action === "login");
  expect(outcomes.map(({ outcome }) => outcome)).toStrictEqual(["failed", "throttled", "done"]);
});

test("a form that is too large is refused before it is read", async () => {
  const answer = await ask("/login", { form: { token: "x".repeat(20_000) } });
  expect(answer.status).toBe(403);
});

test("a logout ends the session and its event stream", async () => {
  const { cookie, csrf } = await logIn();
  const events = await listen("/events", cookie);
  await ask("/logout", { form: { csrf }, headers: { cookie } });
  await events.ended;
  expect((await ask("/", { headers: { cookie } })).status).toBe(303);
});

test("the event stream sends the row of a machine that changed, ready to be shown", async () => {
  const id = server.put(makeNode({ id: "" }));
  const { cookie } = await logIn();
  const events = await listen(`/events?id=${id}`, cookie);
  await expect.poll(() => events.text()).toContain("event: change");
  await server.controller.operator.decide("approve", id, { note: "", from: "" });
  await expect.poll(() => events.text()).toContain("badge approved");
  expect(events.text()).toContain(`"id":"node-${id}"`);
  events.stop();
  await events.ended;
});

test("a machine that does not fit the list is not sent to it", async () => {
  const { cookie } = await logIn();
  const events = await listen("/events?state=revoked", cookie);
  const hidden = server.put(makeNode({ id: "" }));
  const shown = server.put(makeNode({ id: "", state: "revoked", macs: [macOf(1)] }));
  await expect.poll(() => events.text()).toContain(`node-${shown}`);
  expect(events.text()).not.toContain(`node-${hidden}`);
  events.stop();
  await events.ended;
});

test("a path that is no page is not found, a method that is none is refused", async () => {
  expect((await ask("/nosuchpage")).status).toBe(404);
  expect((await ask("/assets/../web-app.ts")).status).toBe(404);
  expect(await ask("/machines/abc/approve")).toMatchObject({ status: 405 });
});

test("files of the page are asked for again only when they changed", async () => {
  const first = await ask("/assets/page.css");
  expect(first).toMatchObject({ status: 200 });
  const etag = String(first.headers.etag);
  expect(await ask("/assets/page.css", { headers: { "if-none-match": etag } })).toMatchObject({
    ...{ status: 304, text: "" },
  });
});

function macOf(index: number): string {
  return `52:54:00:00:00:${index.toString(16).padStart(2, "0")}`;
}

function stateOf(id: string): string | undefined {
  return server.controller.core.store.nodes.stateOf(id);
}

async function logIn(): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const cookie = cookieOf(await ask("/login", { form: { token: server.token } }));
  const { text } = await ask("/policy", { headers: { cookie } });
  return { cookie, csrf: /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? "" };
}

function cookieOf({ headers }: Answer): string {
  return headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}

async function ask(path: string, options: Ask = {}): Promise<Answer> {
  const response = await open(path, options);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode = 0, headers } = response;
  return { status: statusCode, headers, text: Buffer.concat(chunks).toString() };
}

async function listen(path: string, cookie: string) {
  const response = await open(path, { headers: { cookie } });
  const chunks: string[] = [];
  response.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
  response.on("error", () => undefined);
  const ended = new Promise((resolve) => response.once("close", resolve));
  return { text: () => chunks.join(""), stop: () => response.destroy(), ended };
}

function open(path: string, { form, headers = {} }: Ask): Promise<IncomingMessage> {
  const body = form && new URLSearchParams(form).toString();
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const request = requestHttps(`${server.url}/`, {
    ...{ ca, path, agent: false, method: body === undefined ? "GET" : "POST" },
    headers: { ...(body === undefined ? {} : type), ...headers },
  });
  request.on("response", resolve).on("error", reject).end(body);
  return promise;
}
