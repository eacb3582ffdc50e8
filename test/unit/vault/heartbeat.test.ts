import { afterEach, expect, test, vi } from "vitest";
import { Heartbeat } from "../../../src/vault/heartbeat.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeController, type FakeReply } from "../../fakes/fake-controller.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const OK = { status: 200, body: { nextMs: 10_000, nowMs: 1 } };
const DOWN = { code: "E_CONTROLLER", reason: "connection refused" };
const BODY = { version: "1", hostname: "h", uptimeS: 1, addresses: [], phases: [] };

let heartbeat: Heartbeat | undefined;
afterEach(() => heartbeat?.stop());

function started(replies: FakeReply[], random = 0) {
  const client = new FakeController();
  client.replies = replies;
  const clock = new FakeClock();
  const log = new QuietLog();
  const identity = {
    readIdentity: async () => ({ certificate: Buffer.from("c"), key: Buffer.from("k") }),
  };
  const body = () => BODY;
  heartbeat = new Heartbeat({ client, identity, body, clock, log, random: () => random });
  heartbeat.start();
  const beats = async (count: number): Promise<void> => {
    await vi.waitFor(() => {
      expect(client.asked).toHaveLength(count);
      expect(clock.pendingTimers).toBe(1);
    });
  };
  return { client, clock, log, beats };
}

test("the controller says when the next one comes", async () => {
  const { clock, beats, client } = started([OK]);
  await beats(1);
  clock.advance(9999);
  await beats(1);
  clock.advance(1);
  await beats(2);
  expect(client.asked[1]).toEqual({ method: "POST", path: "/v1/heartbeat", body: BODY });
});

test("the delay is shortened at random by up to a fifth", async () => {
  const { clock, beats } = started([OK], 0.5);
  await beats(1);
  clock.advance(9000);
  await beats(2);
});

test("a controller cannot ask for more than one a second", async () => {
  const { clock, beats } = started([{ status: 200, body: { nextMs: 0, nowMs: 1 } }]);
  await beats(1);
  clock.advance(999);
  await beats(1);
  clock.advance(1);
  await beats(2);
});

test("losing the controller is told once, finding it again too, and heartbeats go on", async () => {
  const { clock, beats, log } = started([DOWN, DOWN, DOWN, OK, DOWN]);
  for (let count = 1; count <= 4; count++) {
    await beats(count);
    clock.advance(30_000);
  }
  await beats(5);
  expect(log.lines.map(([, message]) => message)).toEqual([
    "heartbeat failed",
    "controller takes heartbeats again",
    "heartbeat failed",
  ]);
});

test("after the stop there are no more", async () => {
  const { clock, beats, client } = started([OK]);
  await beats(1);
  heartbeat?.stop();
  clock.advance(100_000);
  expect(clock.pendingTimers).toBe(0);
  expect(client.asked).toHaveLength(1);
});
