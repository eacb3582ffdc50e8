import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { Store } from "../../../src/controller/store.ts";
import { DATABASE_FILE } from "../../../src/controller/store-files.ts";
import { readMasterKey } from "../../../src/controller/store-key.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
const directories: string[] = [];
const stores: Store[] = [];
let now = 1_800_000_000_000;

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "node0-store-"));
  directories.push(directory);
  return directory;
}

function openStore(directory: string, masterKey?: Buffer): Store {
  const key = masterKey ?? readMasterKey({ directory, environment: undefined });
  const store = new Store({ directory, masterKey: key, nowMs: () => now++ });
  stores.push(store);
  return store;
}

async function reopen(store: Store, directory: string): Promise<Store> {
  stores.splice(stores.indexOf(store), 1);
  await store.close();
  return openStore(directory);
}

function addNode(store: Store, macs: readonly string[]) {
  const plain = { isRegistered: false, overlayAddress: "", reported: null, address: "192.0.2.1" };
  return store.nodes.add({ ...plain, macs });
}

async function upload(store: Store, id: string, bytes: Buffer) {
  const incoming = await store.privates.receive();
  await incoming.write(bytes);
  const finished = await incoming.finish();
  const change = await store.privates.prepare(id, { path: incoming.path, ...finished });
  const result = store.transaction(() => change.commit(Buffer.from(KEY, "base64")));
  change.forgetOld();
  return result;
}

test("an empty directory becomes a store that is found again as it was left", async () => {
  const directory = join(scratch(), "new");
  const store = openStore(directory);
  const node = addNode(store, ["52:54:00:00:00:02", "52:54:00:00:00:01"]);
  store.nodes.setState(node.id, "approved", "rack 4");
  store.policy = "registered";
  const again = await reopen(store, directory);
  expect(again.nodes.get(node.id)).toMatchObject({
    state: "approved",
    note: "rack 4",
    macs: ["52:54:00:00:00:02", "52:54:00:00:00:01"],
    heartbeat: null,
  });
  expect(again.policy).toBe("registered");
  expect(node.id).toMatch(/^[a-z0-9]{12}$/);
});

test("a directory is for one controller at a time", () => {
  const directory = scratch();
  openStore(directory);
  expect(() => openStore(directory)).toThrow(/another controller works in it/);
});

test("the key is on disk sealed only, and opens again", async () => {
  const directory = scratch();
  const store = openStore(directory);
  const { id } = addNode(store, ["52:54:00:00:00:01"]);
  const { sha256 } = await upload(store, id, Buffer.from("ciphertext"));
  const again = await reopen(store, directory);
  expect(again.privates.secretOf(id)).toStrictEqual({ key: KEY, revision: 1, sha256 });
  for (const name of readdirSync(directory)) {
    if (name === "private") continue;
    const bytes = readFileSync(join(directory, name));
    expect(bytes.includes(Buffer.alloc(32, 7))).toBe(false);
    expect(bytes.includes(KEY)).toBe(false);
  }
});

test("another master key opens nothing", async () => {
  const directory = scratch();
  await reopen(openStore(directory), directory).then((store) => store.close());
  stores.splice(0);
  expect(() => openStore(directory, Buffer.alloc(32))).toThrow(
    /expected the master key it was sealed with/,
  );
});

test("a sealed key does not open in the row of another machine", async () => {
  const directory = scratch();
  const store = openStore(directory);
  const [one, two] = [addNode(store, ["52:54:00:00:00:01"]), addNode(store, ["52:54:00:00:00:02"])];
  await upload(store, one.id, Buffer.from("a"));
  await upload(store, two.id, Buffer.from("b"));
  const other = new DatabaseSync(join(directory, DATABASE_FILE));
  other
    .prepare(
      "UPDATE nodes SET sealed_key = (SELECT sealed_key FROM nodes WHERE id = ?) WHERE id = ?",
    )
    .run(one.id, two.id);
  other.close();
  expect(() => store.privates.secretOf(two.id)).toThrow(/does not verify/);
});

test("an upload replaces the file of the one before; a key alone has revision 0", async () => {
  const directory = scratch();
  const store = openStore(directory);
  const { id } = addNode(store, ["52:54:00:00:00:01"]);
  await upload(store, id, Buffer.from("first"));
  expect((await upload(store, id, Buffer.from("second"))).revision).toBe(2);
  expect(readdirSync(join(directory, "private"))).toStrictEqual([`${id}-2.tar`]);
  expect((await upload(store, id, Buffer.alloc(0))).revision).toBe(0);
  expect(store.privates.find("52:54:00:00:00:01")).toBeUndefined();
  expect((await upload(store, id, Buffer.from("fourth"))).revision).toBe(4);
});

test("what an upload that was cut off left behind is gone after the next start", async () => {
  const directory = scratch();
  const store = openStore(directory);
  await reopen(store, directory);
  writeFileSync(join(directory, "private/incoming-1"), "half");
  const [left] = stores.splice(0);
  await left?.close();
  openStore(directory);
  expect(readdirSync(join(directory, "private"))).toStrictEqual([]);
});

test("the audit log cannot be changed, and a change past SQL shows", async () => {
  const directory = scratch();
  const store = openStore(directory);
  const line = { action: "unlock", subject: "n", actor: "192.0.2.1", outcome: "pending" };
  for (let i = 0; i < 5; i += 1) store.audit.append(line);
  expect(store.audit.verify()).toBe(0);
  const other = new DatabaseSync(join(directory, DATABASE_FILE));
  expect(() => other.exec("UPDATE audit SET outcome = 'approved'")).toThrow(/append-only/);
  expect(() => other.exec("DELETE FROM audit")).toThrow(/append-only/);
  other.exec("DROP TRIGGER audit_no_update");
  other.exec("UPDATE audit SET outcome = 'approved' WHERE sequence = 3");
  other.close();
  expect(store.audit.verify()).toBe(3);
});

test("a transaction that fails takes its audit lines back", () => {
  const store = openStore(scratch());
  const line = { action: "unlock", subject: "n", actor: "192.0.2.1", outcome: "pending" };
  store.audit.append(line);
  expect(() =>
    store.transaction(() => {
      store.audit.append(line);
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(store.audit.append(line).sequence).toBe(2);
  expect(store.audit.verify()).toBe(0);
});

test("a damaged database is refused with the advice to restore", () => {
  const directory = scratch();
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, DATABASE_FILE), Buffer.alloc(8192, 0x55));
  expect(() => openStore(directory, Buffer.alloc(32))).toThrow(/restore a backup/);
});

test("a directory whose master key is gone is refused, and gets no new one", async () => {
  const directory = scratch();
  openStore(directory);
  for (const store of stores.splice(0)) await store.close();
  rmSync(join(directory, "master.key"));
  expect(() => openStore(directory)).toThrow(/expected the key it was started with before/);
  expect(readdirSync(directory)).not.toContain("master.key");
});

test("heartbeats are seen at once and written with the next batch", async () => {
  const directory = scratch();
  const store = openStore(directory);
  const { id } = addNode(store, ["52:54:00:00:00:01"]);
  const beat = { version: "1", hostname: "a", uptimeS: 3, addresses: [], phases: [] };
  store.nodes.setHeartbeat(id, beat, "192.0.2.9");
  expect(store.nodes.get(id)?.heartbeat).toMatchObject({ hostname: "a", from: "192.0.2.9" });
  const again = await reopen(store, directory);
  expect(again.nodes.get(id)?.heartbeat).toMatchObject({ hostname: "a", from: "192.0.2.9" });
});

test("the log is written back while writing goes on, and begins anew", async () => {
  const directory = scratch();
  const store = openStore(directory);
  const end = store.startCheckpoints(new QuietLog(), { everyMs: 50, longLogPages: 100 });
  const line = { action: "unlock", subject: "k3w9x0aab12c", actor: "192.0.2.1", outcome: "done" };
  const detail = "x".repeat(500);
  let lines = 0;
  // 3 pages and more each time: some 20 MB in all.
  for (let time = 0; time < 1500; time += 1) {
    store.transaction(() => {
      for (let one = 0; one < 10; one += 1) store.audit.append({ ...line, detail });
    });
    lines += 10;
    await sleep(2);
  }
  expect(statSync(join(directory, `${DATABASE_FILE}-wal`)).size).toBeLessThan(14_000_000);
  await end();
  const again = await reopen(store, directory);
  expect(again.audit.length).toBe(lines);
  expect(again.audit.verify()).toBe(0);
});

test("a store whose log nobody writes back does it itself once that is long", async () => {
  const directory = scratch();
  const store = openStore(directory);
  const end = store.startCheckpoints(new QuietLog(), { everyMs: 1e9, longLogPages: 1 });
  const line = { action: "unlock", subject: "k3w9x0aab12c", actor: "192.0.2.1", outcome: "done" };
  const detail = "x".repeat(500);
  for (let time = 0; time < 100; time += 1) {
    store.transaction(() => {
      for (let one = 0; one < 2000; one += 1) store.audit.append({ ...line, detail });
    });
  }
  expect(statSync(join(directory, DATABASE_FILE)).size).toBeGreaterThan(30_000_000);
  expect(statSync(join(directory, `${DATABASE_FILE}-wal`)).size).toBeLessThan(80_000_000);
  await end();
});
