import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Store } from "../../../src/controller/store.ts";
import { readMasterKey } from "../../../src/controller/store-key.ts";
import { runController, TestController } from "../support/controller.ts";

const DAY_MS = 86_400_000;
const controllers: TestController[] = [];

afterEach(async () => {
  for (const controller of controllers.splice(0)) await controller.remove();
});

/** Machines that were last heard of so many days ago, in a directory no controller works in yet. */
async function fill(machines: Readonly<Record<string, (store: Store) => string>>, days: number) {
  const directory = mkdtempSync(join(tmpdir(), "node0-pending-"));
  const masterKey = readMasterKey({ directory, environment: undefined });
  const store = new Store({ directory, masterKey, nowMs: () => Date.now() - days * DAY_MS });
  const ids = Object.fromEntries(
    Object.entries(machines).map(([name, add]) => [name, add(store)]),
  ) as Readonly<Record<string, string>>;
  await store.close();
  return { directory, ids };
}

const add =
  (mac: string, isRegistered = false) =>
  (store: Store): string =>
    store.nodes.add({
      ...{ macs: [mac], isRegistered, overlayAddress: "", reported: null },
      address: "192.0.2.1",
    }).id;

const decided = (mac: string, state: "approved" | "rejected" | "revoked") => (store: Store) => {
  const id = add(mac)(store);
  store.nodes.setState(id, state, "");
  return id;
};

async function start(directory: string, words: readonly string[] = []): Promise<TestController> {
  const controller = await new TestController(directory, words).start();
  controllers.push(controller);
  return controller;
}

async function idsOf(controller: TestController): Promise<readonly string[]> {
  const { json } = await controller.ask("GET", "/v1/nodes", { operator: true });
  return json.nodes.map(({ id }: { id: string }) => id).toSorted();
}

test("who waits for an operator and has not asked for 30 days is forgotten; decisions stay", async () => {
  const { directory, ids } = await fill(
    {
      stranger: add("52:54:00:00:0c:01"),
      registered: add("52:54:00:00:0c:02", true),
      approved: decided("52:54:00:00:0c:03", "approved"),
      rejected: decided("52:54:00:00:0c:04", "rejected"),
      revoked: decided("52:54:00:00:0c:05", "revoked"),
    },
    31,
  );
  const controller = await start(directory);
  const { stranger, ...others } = ids;
  expect(await idsOf(controller)).toStrictEqual(Object.values(others).toSorted());
  const lines = await controller.auditLines();
  expect(lines.filter(({ action }) => action === "expire")).toMatchObject([
    { subject: stranger, actor: "controller", outcome: "done" },
  ]);
  expect(lines.find(({ action }) => action === "expire").detail).toContain("52:54:00:00:0c:01");
  // It may ask again, as a new one.
  expect((await controller.unlock(["52:54:00:00:0c:01"])).status).toBe(202);
});

test("29 days are not enough, and the number of days can be chosen", async () => {
  const { directory, ids } = await fill({ stranger: add("52:54:00:00:0c:06") }, 29);
  const controller = await start(directory);
  expect(await idsOf(controller)).toStrictEqual([ids["stranger"]]);
  await controller.stop();
  const shorter = await start(directory, ["--pending-days", "28"]);
  expect(await idsOf(shorter)).toStrictEqual([]);
  for (const days of ["0", "-1", "x", "1.5"]) {
    expect(() =>
      runController(
        ["serve", "--dir", directory, "--listen", "127.0.0.1:0"].concat([`--pending-days=${days}`]),
      ),
    ).toThrow(/expected a whole number from 1 on/);
  }
});

test("as many as there may be wait, and all of them are forgotten at once", async () => {
  const machines = Array.from({ length: 20_000 }, (_, number) => {
    const bytes = [number >> 8, number & 0xff].map((byte) => byte.toString(16).padStart(2, "0"));
    return [`${number}`, add(`52:54:01:00:${bytes.join(":")}`)] as const;
  });
  const everything = (store: Store): string =>
    store.transaction(() => machines.map(([, one]) => one(store)).join(" "));
  const old = await fill({ everything }, 31);
  const roomy = await start(old.directory);
  expect((await roomy.unlock(["52:54:00:00:0c:07"])).status).toBe(202);
  expect(await idsOf(roomy)).toHaveLength(1);
  const lines = await roomy.auditLines();
  expect(lines.filter(({ action }) => action === "expire")).toHaveLength(20_000);
});
