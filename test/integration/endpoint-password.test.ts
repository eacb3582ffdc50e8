import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PasswordSource } from "../../src/boot/password-source.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { QuietLog } from "../fakes/quiet-log.ts";
import { EndpointLab, PASSWORD } from "./support/endpoint.ts";

let lab: EndpointLab;
let directory: string;
let source: PasswordSource;
const clients: Redis[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "node0-password-"));
  lab = await EndpointLab.open();
  source = new PasswordSource({
    clock: systemClock,
    log: new QuietLog(),
    privateFile: join(directory, "password"),
    hasKernelPassword: true,
    apply: (password) => lab.endpoint.setPassword(password),
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  source.stop();
  await lab.stop();
  rmSync(directory, { recursive: true });
});

function login(password: string): Redis {
  const client = new Redis({
    port: lab.port,
    password,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  });
  client.on("error", () => undefined);
  clients.push(client);
  return client;
}

test("a new password counts at once; who is logged in stays so, and the old one is refused", async () => {
  const member = login(PASSWORD);
  expect(await member.ping()).toBe("PONG");
  writeFileSync(join(directory, "password"), "the new one\nwith a note\n");
  expect(await source.reload()).toEqual({ origin: "private", isChanged: true, problems: [] });
  expect(await member.ping()).toBe("PONG");
  expect(await login("the new one").ping()).toBe("PONG");
  await expect(login(PASSWORD).ping()).rejects.toThrow();
});

test("a file that vanishes does not bring the older password back", async () => {
  writeFileSync(join(directory, "password"), "the new one\n");
  await source.reload();
  rmSync(join(directory, "password"));
  expect((await source.reload()).problems[0]).toContain("absent");
  await expect(login(PASSWORD).ping()).rejects.toThrow();
  expect(await login("the new one").ping()).toBe("PONG");
});
