import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { AuditEntry, NodeRecord } from "../../src/controller/types.ts";
import { makeHeartbeat, makeNode } from "../fakes/memory-controller.ts";
import {
  type ControllerServer,
  openControllerServer,
} from "../integration/support/controller-server.ts";

const OUTPUT = join(import.meta.dirname, "../../test-output");
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

let browser: Browser;
let server: ControllerServer;
/** Ids of two machines. */
let pending: string;
let running: string;

beforeAll(async () => {
  mkdirSync(OUTPUT, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
});

afterAll(async () => {
  await browser?.close();
});

beforeEach(async () => {
  server = await openControllerServer();
  fill();
  return async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await server[Symbol.asyncDispose]();
  };
});

test("a wrong token does not log in, and is in the audit log", async () => {
  const page = await openPage();
  await page.goto(server.url);
  await page.getByLabel("Operator token").fill("not-the-operator-token");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect
    .poll(() => page.getByRole("alert").textContent())
    .toContain("not the operator token");
  expect(lastAudit()).toMatchObject({ action: "login", outcome: "failed" });
  await shoot(page, "login");
});

test("an approval shows at once in another tab, on the machine's page and in the audit log", async () => {
  const context = await openContext();
  const [first, second, third] = [
    await context.newPage(),
    await context.newPage(),
    await context.newPage(),
  ];
  await logIn(first);
  await shoot(first, "machines");
  await second.goto(server.url);
  await third.goto(`${server.url}/machines/${pending}`);
  for (const page of [second, third]) await isLive(page);
  await shoot(third, "pending");

  await row(first, pending).getByRole("button", { name: "Approve" }).click();

  await expect.poll(() => first.getByRole("status").first().textContent()).toContain("approved");
  await expect.poll(() => badge(row(second, pending))).toBe("approved");
  await expect.poll(() => row(second, pending).getByRole("button").count()).toBe(0);
  await expect.poll(() => second.locator("#counts").textContent()).toContain("Pending 0");
  await expect.poll(() => badge(third.locator("h1"))).toBe("approved");
  await expect.poll(() => third.getByText("Revoke…").count()).toBe(1);
  await first.goto(`${server.url}/audit`);
  const newest = first.locator(".audit tbody tr").first();
  expect(await newest.textContent()).toContain("approve");
  expect(await newest.textContent()).toContain(pending);
  await shoot(first, "audit");
});

test("a machine that asks for the first time comes into an open list", async () => {
  const page = await openPage();
  await logIn(page);
  await isLive(page);
  const id = put({ macs: ["52:54:00:ff:00:01"] });
  await expect.poll(() => row(page, id).count()).toBe(1);
  await expect.poll(() => page.locator("#counts").textContent()).toContain("Pending 2");
});

test("a note somebody types stays while heartbeats come in", async () => {
  const page = await openPage();
  await logIn(page);
  await page.goto(`${server.url}/machines/${running}`);
  await isLive(page);
  await shoot(page, "machine");
  await page.getByText("Revoke…").click();
  await page.getByLabel("Note").fill("sold");
  const { core } = server.controller;
  core.heartbeat(running, makeHeartbeat(Date.now(), { hostname: "renamed-07" }), "10.20.0.21");
  await expect.poll(() => page.locator("h1").textContent()).toContain("renamed-07");
  expect(await page.getByLabel("Note").inputValue()).toBe("sold");
  await page.getByRole("button", { name: "Revoke" }).click();
  await expect.poll(() => badge(page.locator("h1"))).toBe("revoked");
  expect(getNode(running)).toMatchObject({ state: "revoked", note: "sold" });
});

test("everything works without JavaScript", async () => {
  const context = await openContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await logIn(page);
  await row(page, pending).getByRole("button", { name: "Reject" }).click();
  expect(await badge(row(page, pending))).toBe("rejected");
  await row(page, pending).getByRole("link").click();
  await page.getByText("Approve…").click();
  await page.getByLabel("Note").fill("rack 1");
  await page.getByRole("button", { name: "Approve" }).click();
  expect(await badge(page.locator("h1"))).toBe("approved");
  expect(getNode(pending)).toMatchObject({ state: "approved", note: "rack 1" });
  await page.getByRole("link", { name: "Policy" }).click();
  await page.getByLabel("registered").check();
  await page.getByRole("button", { name: "Save" }).click();
  expect(server.controller.core.store.policy).toBe("registered");
  await page.getByRole("link", { name: "Audit log" }).click();
  const actions = await page.locator(".audit tbody th").allTextContents();
  expect(actions).toStrictEqual(["policy", "approve", "reject", "login", "start"]);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.goto(`${server.url}/machines/${pending}`);
  expect(new URL(page.url()).pathname).toBe("/login");
});

test("the browser blocks and complains about nothing", async () => {
  const page = await openPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await logIn(page);
  await isLive(page);
  for (const path of [`/machines/${running}`, "/audit", "/policy"]) {
    await page.goto(server.url + path);
  }
  expect(complaints).toStrictEqual([]);
});

test("narrow and dark screens show everything without scrolling sideways", async () => {
  const context = await openContext({ viewport: PHONE, colorScheme: "dark" });
  const page = await context.newPage();
  await logIn(page);
  for (const [path, name] of [
    ["/", "machines-phone"],
    [`/machines/${running}`, "machine-phone"],
    ["/audit", "audit-phone"],
    ["/policy", "policy-phone"],
  ] as const) {
    await page.goto(server.url + path);
    await shoot(page, name);
    const width = await page.evaluate("document.documentElement.scrollWidth");
    expect(width).toBe(PHONE.width);
  }
  await page.setViewportSize(DESKTOP);
  await page.goto(`${server.url}/machines/${running}`);
  await shoot(page, "machine-dark");
});

function fill(): void {
  const now = Date.now();
  put({ state: "revoked", note: "returned", macs: ["52:54:00:aa:00:0b"] });
  put({ state: "rejected", note: "not ours", macs: ["52:54:00:aa:00:0a"] });
  running = put({
    ...{ state: "approved", note: "rack 1, slot 7", overlayAddress: "10.147.17.42" },
    macs: ["52:54:00:aa:00:07", "52:54:00:aa:00:08"],
    heartbeat: makeHeartbeat(now),
  });
  const { core } = server.controller;
  core.store.certificates.add("22b7e01c55", running, now + 2e10);
  core.store.certificates.revoke("22b7e01c55", running);
  core.store.certificates.add("4f1c09d2a7", running, now + 3e10);
  const booting = makeHeartbeat(now, { hostname: "rack1-08", uptimeS: 9 });
  const waiting = {
    ...{ phase: "ssh", state: "retrying", startMs: 3830, endMs: null, attempts: 4 },
    reason: "no host key in /mnt/etc/ssh",
  };
  put({
    ...{ state: "approved", macs: ["52:54:00:aa:00:09"] },
    heartbeat: { ...booting, phases: [...booting.phases.slice(0, -1), waiting] },
  });
  pending = put({ macs: ["52:54:00:12:34:56"] });
}

function put(changes: Partial<NodeRecord>): string {
  return server.put(makeNode({ id: "", ...changes }));
}

function getNode(id: string): NodeRecord | undefined {
  return server.controller.core.store.nodes.get(id);
}

function lastAudit(): AuditEntry | undefined {
  const { audit } = server.controller.core.store;
  return audit.list(audit.length - 1, 1)[0];
}

async function openContext(
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<BrowserContext> {
  const common = { ignoreHTTPSErrors: true, viewport: DESKTOP };
  const context = await browser.newContext({ ...common, ...options });
  context.setDefaultTimeout(15_000);
  return context;
}

async function openPage(): Promise<Page> {
  return await (await openContext()).newPage();
}

async function logIn(page: Page): Promise<void> {
  await page.goto(server.url);
  await page.getByLabel("Operator token").fill(server.token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(`${server.url}/`);
}

function row(page: Page, id: string) {
  return page.locator(`#node-${id}`);
}

async function badge(place: ReturnType<Page["locator"]>): Promise<string | null> {
  return await place.locator(".badge").textContent();
}

async function isLive(page: Page): Promise<void> {
  await expect.poll(() => page.locator("#live").textContent(), { timeout: 10_000 }).toBe("Live");
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(OUTPUT, `controller-page-${name}.png`), fullPage: true });
}
