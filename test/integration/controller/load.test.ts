import { Agent } from "node:https";
import { afterEach, expect, test } from "vitest";
import { Store } from "../../../src/controller/store.ts";
import { readMasterKey } from "../../../src/controller/store-key.ts";
import { TestController } from "../support/controller.ts";

const controllers: TestController[] = [];

afterEach(async () => {
  for (const controller of controllers.splice(0)) await controller.remove();
});

async function start(): Promise<TestController> {
  const controller = await new TestController().start();
  controllers.push(controller);
  return controller;
}

const macOf = (number: number): string =>
  `52:54:00:${[16, 8, 0].map((shift) => ((number >> shift) & 0xff).toString(16).padStart(2, "0")).join(":")}`;

test("kill -9 under 200 requests a second loses nothing that was acknowledged", async () => {
  const controller = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const id = await controller.addNode(macOf(0xff_ff_ff));
  const acknowledged: { readonly node: string; readonly note: string }[] = [];
  const work: Promise<void>[] = [];
  const change = async (number: number): Promise<void> => {
    const body = { macs: [macOf(number)] };
    const options = { operator: true, agent } as const;
    const { status, json } = await controller.ask("POST", "/v1/nodes", { ...options, body });
    if (status !== 201) throw new Error(`status ${status}`);
    acknowledged.push({ node: json.id, note: "" });
    const path = `/v1/nodes/${json.id}/approve`;
    const note = `machine ${number}`;
    const approved = await controller.ask("POST", path, { ...options, body: { note } });
    if (approved.status === 200) acknowledged.push({ node: json.id, note });
  };
  let number = 0;
  const timer = setInterval(() => {
    // Two requests each, and one for a key: 200 and more a second.
    work.push(change(++number).catch(() => undefined));
    if (number % 20 === 0) {
      work.push(
        controller.unlock([macOf(0xff_ff_ff)], { agent }).then(
          () => undefined,
          () => undefined,
        ),
      );
    }
  }, 8);
  await expect
    .poll(() => acknowledged.length, { timeout: 20_000, interval: 20 })
    .toBeGreaterThan(500);
  await controller.stop("SIGKILL");
  clearInterval(timer);
  await Promise.all(work);
  agent.destroy();

  await controller.start();
  const { nodes } = (await controller.ask("GET", "/v1/nodes", { operator: true })).json;
  const notes = new Map<string, string>(
    nodes.map((node: { id: string; note: string }) => [node.id, node.note]),
  );
  const lost = acknowledged.filter(
    ({ node, note }) => !notes.has(node) || (note !== "" && notes.get(node) !== note),
  );
  expect(lost).toStrictEqual([]);
  const lines = await controller.auditLines();
  const known = new Set(lines.map(({ action, subject }) => `${action} ${subject}`));
  expect(acknowledged.filter(({ node }) => !known.has(`register ${node}`))).toStrictEqual([]);
  expect(
    acknowledged.filter(({ node, note }) => note !== "" && !known.has(`approve ${node}`)),
  ).toStrictEqual([]);
  expect(known.has(`unlock ${id}`)).toBe(true);

  await controller.stop();
  const { directory } = controller;
  const masterKey = readMasterKey({ directory, environment: undefined });
  const store = new Store({ directory, masterKey, nowMs: () => Date.now() });
  expect(store.audit.verify()).toBe(0);
  expect(store.audit.length).toBeGreaterThan(500);
  await store.close();
});

test("10 000 guesses are throttled, then nothing is answered, and they take a few lines of the audit log", async () => {
  const controller = await start();
  const known = macOf(20_000);
  await controller.addNode(known);
  const before = (await controller.auditLines()).length;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const counts = new Map<number, number>();
  let number = 0;
  const guess = async (): Promise<void> => {
    while (number < 10_000) {
      const { status } = await controller.unlock([macOf(++number)], { agent });
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 16 }, guess));
  agent.destroy();
  expect(counts.get(202)).toBeLessThan(300);
  expect(counts.get(429)).toBeGreaterThan(9700);
  let throttled = await controller.unlock([known]);
  // There is room for one again each half second: strangers use it up.
  while (throttled.status !== 429) {
    await Promise.all([30_000, 30_001, 30_002].map((one) => controller.unlock([macOf(one)])));
    throttled = await controller.unlock([known]);
  }
  expect(throttled.json).toMatchObject({ code: "E_THROTTLED", retryAfterS: expect.any(Number) });
  expect(throttled.headers["retry-after"]).toBe(String(throttled.json.retryAfterS));

  // The end of the window, or of the controller, tells how many there were.
  await controller.stop();
  await controller.start();
  const lines = (await controller.auditLines()).slice(before);
  const told = lines.filter(({ outcome }) => outcome === "throttled");
  expect(told[0]).toMatchObject({ action: "unlock", actor: "127.0.0.1" });
  const repeats = told.map(({ detail }) => Number(/^(\d+) more within/.exec(detail)?.[1] ?? 1));
  expect(repeats.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(9700);
  expect(lines.length).toBeLessThan(330);
});
