import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type ControllerProcess,
  HOST_SEEN_BY_GUEST,
  startController,
} from "../../../scripts/machine/controller-process.ts";
import { endProcess, identify } from "../../../scripts/machine/process-identity.ts";
import { ownRun, writeOwner } from "../../../scripts/machine/run-owner.ts";

const END_LIMIT_MS = 20_000;

let home: string;
let runDirectory: string;
const started: ControllerProcess[] = [];
let sleeper: ChildProcess | undefined;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "node0-up-controller-"));
  runDirectory = join(home, "node0-vm-test");
  mkdirSync(runDirectory);
  ownRun(runDirectory);
});

afterEach(async () => {
  for (const { identity } of started.splice(0)) {
    await endProcess(identity, { word: runDirectory, graceMs: 5000 });
  }
  sleeper?.kill("SIGKILL");
  rmSync(home, { recursive: true });
});

async function start(name = "controller"): Promise<ControllerProcess> {
  const controller = await startController({
    directory: join(home, name),
    runDirectory,
    log: join(home, `${name}.log`),
    signal: AbortSignal.timeout(END_LIMIT_MS),
  });
  started.push(controller);
  return controller;
}

/** Status of `/healthz`, with the certificate checked for the name a machine uses. */
function health({ url, caFile }: ControllerProcess): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(caFile, "utf8");
    const asked = request(`${url}/healthz`, { ca, servername: "", agent: false });
    asked.on("error", reject);
    asked.on("response", (response) => {
      const names = (
        response.socket as { getPeerCertificate?(): { subjectaltname?: string } }
      ).getPeerCertificate?.().subjectaltname;
      expect(names).toContain(`IP Address:${HOST_SEEN_BY_GUEST}`);
      response.resume();
      resolve(response.statusCode);
    });
    asked.end();
  });
}

test("serves on the loopback interface, under the name a machine in QEMU uses", async () => {
  const controller = await start();
  expect(controller.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(await health(controller)).toBe(200);
});

test("has the same authority and token when it is started again", async () => {
  const files = async (): Promise<string[]> => {
    const { caFile, tokenFile, identity } = await start();
    const texts = [caFile, tokenFile].map((path) => readFileSync(path, "utf8"));
    await endProcess(identity, { word: runDirectory, graceMs: 5000 });
    return texts;
  };
  expect(await files()).toEqual(await files());
});

test("ends when the directory of its run is gone", async () => {
  const { identity } = await start();
  rmSync(runDirectory, { recursive: true });
  await expect.poll(() => identify(identity.pid), { timeout: END_LIMIT_MS }).toBeNull();
});

test("ends when the machine of its run ends by itself", async () => {
  sleeper = spawn("sleep", ["3600"], { stdio: "ignore" });
  await once(sleeper, "spawn");
  const owner = identify(sleeper.pid ?? 0);
  if (owner === null) throw new Error("the sleeper is gone");
  writeOwner(runDirectory, owner);
  const { identity } = await start();
  sleeper.kill("SIGKILL");
  await expect.poll(() => identify(identity.pid), { timeout: END_LIMIT_MS }).toBeNull();
});

test("says why it did not start in a damaged directory", async () => {
  mkdirSync(join(home, "controller"));
  writeFileSync(join(home, "controller/master.key"), `${"A".repeat(43)}=\n`);
  writeFileSync(join(home, "controller/controller.db"), "this is no database ".repeat(1000));
  await expect(start()).rejects.toMatchObject({
    code: "E_CONTROLLER_START",
    message: expect.stringMatching(/^Cannot start the controller of .*controller: Cannot /),
  });
});

test("leaves a directory alone in which another controller works", async () => {
  const first = await start();
  await expect(start()).rejects.toMatchObject({
    code: "E_CONTROLLER_START",
    message: expect.stringContaining("another controller works in it"),
  });
  expect(await health(first)).toBe(200);
  expect(readFileSync(join(first.directory, "url"), "utf8")).toBe(`${first.url}\n`);
});

test("is ended when its start is interrupted", async () => {
  const interruption = new AbortController();
  const starting = startController({
    directory: join(home, "controller"),
    runDirectory,
    log: join(home, "controller.log"),
    signal: interruption.signal,
  });
  interruption.abort(new Error("interrupted"));
  await expect(starting).rejects.toThrow("interrupted");
  // The directory is free again: nobody is left who works in it.
  expect(await health(await start())).toBe(200);
});
