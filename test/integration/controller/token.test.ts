import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request as requestHttps } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runController, TestController } from "../support/controller.ts";

let controller: TestController;

beforeEach(async () => {
  controller = await new TestController().start();
});

afterEach(() => controller.remove());

/** Logs in at the page. @returns The cookie. */
async function logIn(): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = requestHttps(
    new URL("/login", controller.url),
    {
      ...{ method: "POST", ca: controller.ca, agent: false },
      headers: { "content-type": "application/x-www-form-urlencoded", origin: controller.url },
    },
    (response) => {
      response.resume();
      resolve(response.headers["set-cookie"]?.[0]?.split(";")[0] ?? "");
    },
  );
  request.on("error", reject);
  request.end(new URLSearchParams({ token: controller.token }).toString());
  return await promise;
}

async function statusOfPage(cookie: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = { ca: controller.ca, agent: false, headers: { cookie } } as const;
  const request = requestHttps(new URL("/policy", controller.url), options, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  request.on("error", reject);
  request.end();
  return await promise;
}

test("a new token counts in the running controller, and the old one ends with its sessions", async () => {
  const before = controller.token;
  const cookie = await logIn();
  expect(await statusOfPage(cookie)).toBe(200);
  const stream = controller.ask("GET", "/v1/events", { operator: true });

  const printed = runController(["token", "--new", "--dir", controller.directory]).trim();
  expect(printed).toMatch(/^[\w-]{43}$/);
  expect(printed).not.toBe(before);
  expect(controller.token).toBe(printed);
  expect(statSync(join(controller.directory, "operator-token")).mode & 0o777).toBe(0o600);

  const statusWith = async (token: string): Promise<number> =>
    (await controller.ask("GET", "/v1/policy", { token })).status;
  await expect.poll(() => statusWith(printed), { timeout: 10_000 }).toBe(200);
  expect(await statusWith(before)).toBe(401);
  // It ended: a stream of the old token would tell on for ever.
  expect((await stream).status).toBe(200);
  expect(await statusOfPage(cookie)).toBe(303);
  expect(await statusOfPage(await logIn())).toBe(200);

  const lines = await controller.auditLines();
  expect(lines.filter(({ action }) => action === "token")).toMatchObject([
    { actor: "controller", outcome: "done" },
  ]);
  expect(controller.output).not.toContain(printed);
  expect(runController(["token", "--dir", controller.directory]).trim()).toBe(printed);
});

test("a token file that is too short does not replace the token", async () => {
  const good = controller.token;
  writeFileSync(join(controller.directory, "operator-token"), "short\n");
  await expect
    .poll(() => controller.output, { timeout: 10_000 })
    .toContain("expected a token of 32 characters or more");
  expect((await controller.ask("GET", "/v1/policy", { token: good })).status).toBe(200);
  expect((await controller.ask("GET", "/v1/policy", { token: "short" })).status).toBe(401);
});

test("a new token is made only where there is a controller", () => {
  const directory = mkdtempSync(join(tmpdir(), "node0-token-"));
  expect(() => runController(["token", "--new", "--dir", directory])).toThrow(
    /expected the directory of a controller that was started/,
  );
  expect(() => readFileSync(join(directory, "operator-token"))).toThrow();
  rmSync(directory, { recursive: true });
});
