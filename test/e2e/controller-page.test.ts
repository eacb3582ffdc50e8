import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { makeHeartbeat, makeNode, OPERATOR_TOKEN } from "../fakes/memory-controller.ts";
import { openPageServer, type PageServer } from "../integration/support/page-server.ts";

const OUTPUT = join(import.meta.dirname, "../../test-output");
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const PENDING = "k3w9x0aab12c";
const RUNNING = "p7d2m4zz81qe";

let browser: Browser;
let server: PageServer;

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
  server = await openPageServer();
  fill(server);
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
  expect(server.controller.entries.at(-1)).toMatchObject({ action: "login", outcome: "failed" });
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
  await third.goto(`${server.url}/machines/${PENDING}`);
  for (const page of [second, third]) await isLive(page);
  await shoot(third, "pending");

  await row(first, PENDING).getByRole("button", { name: "Approve" }).click();

  await expect.poll(() => first.getByRole("status").first().textContent()).toContain("approved");
  await expect.poll(() => badge(row(second, PENDING))).toBe("approved");
  await expect.poll(() => row(second, PENDING).getByRole("button").count()).toBe(0);
  await expect.poll(() => second.locator("#counts").textContent()).toContain("Pending 0");
  await expect.poll(() => badge(third.locator("h1"))).toBe("approved");
  await expect.poll(() => third.getByText("Revoke…").count()).toBe(1);
  await first.goto(`${server.url}/audit`);
  const newest = first.locator(".audit tbody tr").first();
  expect(await newest.textContent()).toContain("approve");
  expect(await newest.textContent()).toContain(PENDING);
  await shoot(first, "audit");
});

test("a machine that asks for the first time comes into an open list", async () => {
  const page = await openPage();
  await logIn(page);
  await isLive(page);
  server.controller.put(makeNode({ id: "newcomer0000" }));
  await expect.poll(() => row(page, "newcomer0000").count()).toBe(1);
  await expect.poll(() => page.locator("#counts").textContent()).toContain("Pending 2");
});

test("a note somebody types stays while heartbeats come in", async () => {
  const page = await openPage();
  await logIn(page);
  await page.goto(`${server.url}/machines/${RUNNING}`);
  await isLive(page);
  await shoot(page, "machine");
  await page.getByText("Revoke…").click();
  await page.getByLabel("Note").fill("sold");
  const node = server.controller.getNode(RUNNING);
  if (node === undefined) throw new Error("no machine");
  const heartbeat = makeHeartbeat(Date.now(), { hostname: "renamed-07" });
  server.controller.put({ ...node, heartbeat });
  await expect.poll(() => page.locator("h1").textContent()).toContain("renamed-07");
  expect(await page.getByLabel("Note").inputValue()).toBe("sold");
  await page.getByRole("button", { name: "Revoke" }).click();
  await expect.poll(() => badge(page.locator("h1"))).toBe("revoked");
  expect(server.controller.getNode(RUNNING)).toMatchObject({ state: "revoked", note: "sold" });
});

test("everything works without JavaScript", async () => {
  const context = await openContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await logIn(page);
  await row(page, PENDING).getByRole("button", { name: "Reject" }).click();
  expect(await badge(row(page, PENDING))).toBe("rejected");
  await row(page, PENDING).getByRole("link").click();
  await page.getByText("Approve…").click();
  await page.getByLabel("Note").fill("rack 1");
  await page.getByRole("button", { name: "Approve" }).click();
  expect(await badge(page.locator("h1"))).toBe("approved");
  expect(server.controller.getNode(PENDING)).toMatchObject({ state: "approved", note: "rack 1" });
  await page.getByRole("link", { name: "Policy" }).click();
  await page.getByLabel("registered").check();
  await page.getByRole("button", { name: "Save" }).click();
  expect(server.controller.policy()).toBe("registered");
  await page.getByRole("link", { name: "Audit log" }).click();
  const actions = await page.locator(".audit tbody th").allTextContents();
  expect(actions).toStrictEqual(["policy", "approve", "reject", "login"]);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.goto(`${server.url}/machines/${PENDING}`);
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
  for (const path of [`/machines/${RUNNING}`, "/audit", "/policy"]) {
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
    [`/machines/${RUNNING}`, "machine-phone"],
    ["/audit", "audit-phone"],
    ["/policy", "policy-phone"],
  ] as const) {
    await page.goto(server.url + path);
    await shoot(page, name);
    const width = await page.evaluate("document.documentElement.scrollWidth");
    expect(width).toBe(PHONE.width);
  }
  await page.setViewportSize(DESKTOP);
  await page.goto(`${server.url}/machines/${RUNNING}`);
  await shoot(page, "machine-dark");
});

function fill({ controller }: PageServer): void {
  const now = Date.now();
  controller.put(makeNode({ id: PENDING, firstSeenMs: now - 60_000, lastSeenMs: now - 3000 }));
  controller.put(
    makeNode({
      ...{ id: RUNNING, state: "approved", note: "rack 1, slot 7", revision: 3 },
      ...{ macs: ["52:54:00:aa:00:07", "52:54:00:aa:00:08"], overlayAddress: "10.147.17.42" },
      ...{ firstSeenMs: now - 9e8, lastSeenMs: now - 12_000 },
      heartbeat: makeHeartbeat(now - 12_000),
    }),
  );
  const booting = makeHeartbeat(now - 240_000, { hostname: "rack1-08", uptimeS: 9 });
  controller.put(
    makeNode({
      ...{ id: "h5t0c8vv36yn", state: "approved", macs: ["52:54:00:aa:00:09"], firstSeenMs: now },
      heartbeat: {
        ...booting,
        phases: booting.phases.map((phase) =>
          phase.phase === "ssh"
            ? {
                ...{ phase: "ssh", state: "retrying", startMs: 3830, endMs: null, attempts: 4 },
                reason: "no host key in /mnt/etc/ssh",
              }
            : phase,
        ),
      },
    }),
  );
  controller.put(
    makeNode({ id: "b1n6r2uu47ws", state: "rejected", note: "not ours", firstSeenMs: now - 7e8 }),
  );
  controller.put(
    makeNode({ id: "z9q4f7jj58lk", state: "revoked", note: "returned", firstSeenMs: now - 8e8 }),
  );
  controller.certificatesOf.set(RUNNING, [
    { serial: "4f1c09d2a7", issuedMs: now - 8e8, expiresMs: now + 3e10, isRevoked: false },
    { serial: "22b7e01c55", issuedMs: now - 9e8, expiresMs: now + 2e10, isRevoked: true },
  ]);
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
  await page.getByLabel("Operator token").fill(OPERATOR_TOKEN);
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
