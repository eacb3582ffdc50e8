import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OperatorClient } from "../../src/controller/operator-client.ts";
import { runPrivateCommand } from "../../src/controller/private/command.ts";
import { decryptCopy } from "../../src/controller/private/open-store.ts";
import { openWorkDirectory } from "../../src/controller/private/work-directory.ts";
import { type RunningController, startController } from "../../src/controller/server-service.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { parseUstar } from "../../src/vault/ustar.ts";
import { QuietLog } from "../fakes/quiet-log.ts";

const MAC = "52:54:00:12:34:56";
const COMMAND = join(import.meta.dirname, "../../src/controller/private/command.ts");

let home = "";
let out = "";
let dir = "";
let controller: RunningController;
let operator: OperatorClient;
let log: QuietLog;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "node0-private-test-"));
  [out, dir] = [join(home, "machine"), join(home, "controller")];
  log = new QuietLog();
  controller = await startController({
    directory: dir,
    masterKey: Buffer.alloc(32, 1),
    listen: { host: "127.0.0.1", port: 0 },
    names: [],
    clock: systemClock,
    log,
  });
  operator = new OperatorClient({ dir });
});

afterEach(async () => {
  await controller.stop();
  rmSync(home, { recursive: true, force: true });
});

const run = async (...words: string[]): Promise<number> => runPrivateCommand(words);
const create = (...words: string[]): Promise<number> =>
  run("create", "--mac", MAC, "--out", out, "--dir", dir, "--approve", ...words);
const stored = (name: string): string => readFileSync(join(out, name), "utf8");
const record = () => JSON.parse(stored("node.json"));

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** One request as a machine sends it. */
async function ask(
  path: string,
  { body, ...identity }: { body?: unknown; cert?: string; key?: string } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request(new URL(path, controller.url), {
    ca: readFileSync(join(dir, "ca.crt")),
    agent: false,
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json" },
    ...identity,
  });
  asked.on("error", reject);
  asked.on("response", async (response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
  });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  return await promise;
}

/** Unlocks as a machine does, all but the mount in its own place. */
async function unlock(): Promise<Map<string, string>> {
  const facts = { serial: "", vendor: "", product: "", overlayId: "", version: "1" };
  const unlocked = await ask("/v1/unlock", { body: { macs: [MAC], ...facts } });
  expect(unlocked.status).toBe(200);
  const { key } = JSON.parse(unlocked.body.toString());
  const fetched = await ask(`/v1/private/${MAC}`);
  await using work = await openWorkDirectory();
  const entries = await decryptCopy(parseUstar(fetched.body), { key, work, name: "machine" });
  return new Map(
    entries.flatMap((entry) =>
      entry.kind === "file" ? [[entry.path, Buffer.from(entry.content).toString()]] : [],
    ),
  );
}

const session = (files: Map<string, string>): Promise<Answer> =>
  ask("/v1/session", {
    cert: files.get("tls/client.crt") ?? "",
    key: files.get("tls/client.key") ?? "",
  });

test("what was made for a machine opens for it, and its certificate is good", async () => {
  expect(await create()).toBe(0);

  const [node] = await operator.listNodes();
  expect(node).toMatchObject({ id: record().node, macs: [MAC], state: "approved", revision: 1 });
  const files = await unlock();
  expect(files.get("redis/password")).toBe(stored("access/redis-password"));
  expect((await session(files)).status).toBe(200);
  expect(await run("verify", out, "--dir", dir)).toBe(0);
});

test("after a rotation the former key and certificate are of no use", async () => {
  expect(await create()).toBe(0);
  const former = await unlock();

  expect(await run("rotate", out, "--dir", dir)).toBe(0);

  expect((await session(former)).status).toBe(403);
  const files = await unlock();
  expect((await session(files)).status).toBe(200);
  expect(files.get("redis/password")).toBe(former.get("redis/password"));
  expect(record()).toMatchObject({ revision: 2, retiredSerials: [] });
  expect(await run("verify", out, "--dir", dir)).toBe(0);
});

test("an edit reaches the machine", async () => {
  expect(await create()).toBe(0);
  const script = "echo other-word > redis/password";
  expect(await run("edit", out, "--dir", dir, "--", "sh", "-c", script)).toBe(0);
  expect((await unlock()).get("redis/password")).toBe("other-word\n");
});

test("what was not uploaded is told by verify, and uploaded later", async () => {
  expect(await create("--no-upload")).toBe(0);
  expect(await run("verify", out, "--dir", dir)).toBe(1);
  expect(await run("upload", out, "--dir", dir)).toBe(0);
  expect(await run("verify", out, "--dir", dir)).toBe(0);
});

test("an upload by somebody else is told by verify", async () => {
  expect(await create()).toBe(0);
  await operator.uploadPrivate(
    record().node,
    Buffer.alloc(32, 3).toString("base64"),
    Buffer.alloc(1024),
  );
  expect(await run("verify", out, "--dir", dir)).toBe(1);
});

test("a controller that is not there, and one of another CA, make nothing", async () => {
  writeFileSync(join(home, "token"), "0123456789abcdef0123456789abcdef\n");
  execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", join(home, "other.key"), "-out", join(home, "other.crt"), "-subj", "/CN=other"],
  ]);
  const words = ["create", "--mac", MAC, "--out", out, "--token-file", join(home, "token")];
  const ca = join(dir, "ca.crt");

  expect(await run(...words, "--url", "https://127.0.0.1:9", "--ca", ca)).toBe(1);
  expect(await run(...words, "--url", controller.url, "--ca", join(home, "other.crt"))).toBe(1);
  expect(await run(...words, "--url", controller.url, "--ca", ca)).toBe(1);
  expect(existsSync(out)).toBe(false);
  expect(await operator.listNodes()).toEqual([]);
});

/** Starts `create` in a process of its own, which stands still in the middle of the encryption. */
async function startStandingStill(): Promise<ChildProcess> {
  const shims = join(home, "shims");
  mkdirSync(shims);
  const shim = (program: string, before: string): void => {
    const real = execFileSync("which", [program], { encoding: "utf8" }).trim();
    writeFileSync(join(shims, program), `#!/bin/sh\n${before}\nexec ${real} "$@"\n`, {
      mode: 0o755,
    });
  };
  shim("gocryptfs", `[ "$1" = -fg ] && : > ${home}/mounting`);
  // Ends with the test at the latest.
  shim("fusermount3", `while [ -d ${home} ] && [ ! -e ${home}/go ]; do sleep 0.05; done`);
  const words = ["create", "--mac", MAC, "--out", out, "--dir", dir];
  const code = `import { runPrivateCommand } from ${JSON.stringify(COMMAND)};
    process.exitCode = await runPrivateCommand(${JSON.stringify(words)});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    env: { ...process.env, PATH: `${shims}${delimiter}${process.env["PATH"]}` },
    stdio: ["ignore", "ignore", "inherit"],
  });
  await expect.poll(() => existsSync(join(home, "mounting")), { timeout: 20_000 }).toBe(true);
  return child;
}

const workDirectories = (pid: number | undefined): string[] =>
  readdirSync("/run").filter((name) => name.startsWith(`node0-private-${pid}-`));

test("an interrupted create leaves nothing", async () => {
  const child = await startStandingStill();
  child.kill("SIGINT");
  writeFileSync(join(home, "go"), "");
  const [code] = await once(child, "exit");
  expect(code).toBe(130);
  expect(existsSync(out)).toBe(false);
  expect(workDirectories(child.pid)).toEqual([]);
});

test("what a killed create leaves is hidden and encrypted, and goes with the next command", async () => {
  const child = await startStandingStill();
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(existsSync(out)).toBe(false);

  expect(await create()).toBe(0);
  expect(workDirectories(child.pid)).toEqual([]);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(`node0-private-${child.pid}-`);
});
