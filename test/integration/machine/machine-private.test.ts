import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type ControllerProcess,
  startController,
} from "../../../scripts/machine/controller-process.ts";
import { ensurePrivate, type PrivateAccess } from "../../../scripts/machine/machine-private.ts";
import { endProcess } from "../../../scripts/machine/process-identity.ts";
import { ownRun } from "../../../scripts/machine/run-owner.ts";
import { OperatorClient } from "../../../src/controller/operator-client.ts";
import { verifyPrivate } from "../../../src/controller/private/verify.ts";
import { linuxFiles } from "../../../src/sys/files-linux.ts";
import { readMounts } from "../../../src/sys/mounts.ts";

const MACS = ["52:54:00:12:34:56", "52:54:00:12:34:57"];
const LIMIT_MS = 30_000;

let home: string;
let runDirectory: string;
let controller: ControllerProcess;
let client: OperatorClient;
let directory: string;
let said: string[];
let count = 0;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "node0-up-private-"));
  runDirectory = join(home, "node0-vm-test");
  mkdirSync(runDirectory);
  ownRun(runDirectory);
  controller = await start("controller");
  client = new OperatorClient({ dir: controller.directory });
});

afterAll(async () => {
  await end(controller);
  rmSync(home, { recursive: true });
});

beforeEach(() => {
  count += 1;
  directory = join(home, `state-${count}/private/machine`);
  said = [];
});

afterEach(async () => {
  for (const { id } of await client.listNodes()) await client.remove(id);
});

function start(name: string): Promise<ControllerProcess> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const log = join(home, `${name}.log`);
  return startController({ directory: join(home, name), runDirectory, log, signal });
}

function end({ identity }: ControllerProcess): Promise<void> {
  return endProcess(identity, { word: runDirectory, graceMs: 5000 });
}

function ensure(from = controller): Promise<PrivateAccess> {
  return ensurePrivate({
    ...{ directory, controller: from, macs: MACS },
    say: (line) => void said.push(line),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
}

const texts = ({ node: _, ...files }: PrivateAccess): string[] =>
  Object.values(files).map((path) => readFileSync(path, "utf8"));

test("makes a configuration the controller has, and approves the machine", async () => {
  const access = await ensure();
  const node = await client.getNode(access.node);
  expect(node).toMatchObject({ state: "approved", macs: MACS, revision: 1 });
  const context = { controller: client, say: () => undefined };
  expect(await verifyPrivate({ directory }, context)).toEqual([]);
  const [password, identity, knownHosts] = texts(access);
  expect(password).toMatch(/^[\w-]{43}\n$/);
  expect(identity).toContain("OPENSSH PRIVATE KEY");
  expect(knownHosts).toMatch(new RegExp(`^${access.node} ssh-ed25519 `));
});

test("takes the configuration at hand the next time, without a word", async () => {
  const first = await ensure();
  const before = texts(first);
  said = [];
  const second = await ensure();
  expect(second).toEqual(first);
  expect(texts(second)).toEqual(before);
  expect(said).toEqual([]);
});

test("makes a damaged configuration anew for the same machine and keeps the former one", async () => {
  const { node } = await ensure();
  const name = "gocryptfs.conf";
  writeFileSync(join(directory, "ciphertext", name), "damaged");
  said = [];
  expect(await ensure()).toMatchObject({ node });
  expect(said[0]).toContain(`ciphertext/${name} is damaged`);
  expect(readFileSync(`${directory}.replaced/ciphertext/${name}`, "utf8")).toBe("damaged");
  expect(await client.getNode(node)).toMatchObject({ state: "approved", revision: 2 });
});

test("brings a configuration to the controller that was changed without it", async () => {
  const { node } = await ensure();
  const path = join(directory, "node.json");
  writeFileSync(path, readFileSync(path, "utf8").replace('"revision": 1', '"revision": 0'));
  await ensure();
  expect(await client.getNode(node)).toMatchObject({ revision: 2 });
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ node, revision: 2 });
});

test("approves a machine again that was revoked, and says so", async () => {
  const { node } = await ensure();
  await client.revoke(node);
  said = [];
  await ensure();
  expect(said).toEqual([`${node} was revoked: approved again`]);
  expect(await client.getNode(node)).toMatchObject({ state: "approved" });
});

test("makes a new configuration for a new controller", async () => {
  const former = texts(await ensure());
  const other = await start("other");
  try {
    said = [];
    expect(texts(await ensure(other))).not.toEqual(former);
    expect(said[0]).toContain("it is for another controller");
    const nodes = await new OperatorClient({ dir: other.directory }).listNodes();
    expect(nodes).toMatchObject([{ state: "approved", revision: 1 }]);
  } finally {
    await end(other);
  }
});

test("an interruption leaves neither a configuration nor a mount", async () => {
  const interruption = new AbortController();
  const making = ensurePrivate({
    ...{ directory, controller, macs: MACS, signal: interruption.signal },
    say: (line) => line.startsWith("machine ") && interruption.abort(new Error("interrupted")),
  });
  await expect(making).rejects.toThrow();
  expect(readdirSync(join(directory, ".."))).toEqual([]);
  const left = readMounts(linuxFiles).filter(({ mountpoint }) =>
    mountpoint.includes(`node0-private-${process.pid}-`),
  );
  expect(left).toEqual([]);
});
