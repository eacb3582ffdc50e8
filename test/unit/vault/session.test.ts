import { beforeEach, expect, test, vi } from "vitest";
import { DEFAULT_BACKOFF } from "../../../src/base/backoff.ts";
import { Sequence } from "../../../src/sequencer/sequence.ts";
import { Session } from "../../../src/vault/session.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeController } from "../../fakes/fake-controller.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const REFUSED = { status: 403, body: { code: "E_REVOKED", message: "certificate revoked" } };
const DOWN = { code: "E_CONTROLLER", reason: "connection refused" };
const OK = { status: 200, body: { node: "abc", nowMs: 5 } };

let client: FakeController;
let refused: string[];
let adjusted: number[];
let session: Session;
let key: Buffer;
let hasIdentity: boolean;
let reached: number;

beforeEach(() => {
  client = new FakeController();
  refused = [];
  adjusted = [];
  reached = 0;
  hasIdentity = true;
  session = new Session({
    client,
    identity: {
      readIdentity: async () => {
        key = Buffer.from("private");
        return hasIdentity ? { certificate: Buffer.from("public"), key } : undefined;
      },
    },
    nodeClock: { adjust: async (ms) => adjusted.push(ms) > 0 },
    log: new QuietLog(),
    onRefused: async (reason) => {
      refused.push(reason);
    },
    onReached: () => {
      reached += 1;
    },
  });
});

const attempt = () =>
  session.bringUp({
    attempt: 1,
    signal: new AbortController().signal,
    setReason: () => {},
    progress: () => {},
  });

test("a certificate the controller knows is enough, sets the clock and begins the heartbeats", async () => {
  client.replies = [OK];
  expect(await attempt()).toBe("https://controller knows this machine as abc");
  expect({ adjusted, reached }).toEqual({ adjusted: [5], reached: 1 });
});

test("the client key is wiped after each attempt", async () => {
  for (const reply of [OK, DOWN]) {
    client.replies = [reply];
    await attempt().catch(() => {});
    expect(key.every((byte) => byte === 0)).toBe(true);
  }
});

test("the third definite refusal in a row asks for the private configuration again", async () => {
  client.replies = [REFUSED];
  await expect(attempt()).rejects.toThrow("certificate revoked");
  await expect(attempt()).rejects.toThrow();
  expect(refused).toEqual([]);
  await expect(attempt()).rejects.toThrow();
  expect(refused).toEqual([
    "its client certificate is refused: it answered with status 403: certificate revoked",
  ]);
});

test("a controller that is down is no refusal, and begins the count anew", async () => {
  client.replies = [REFUSED, REFUSED, DOWN, REFUSED, REFUSED, DOWN];
  for (let count = 0; count < 6; count++) await expect(attempt()).rejects.toThrow();
  expect(refused).toEqual([]);
});

test("a private configuration without client certificate counts as refused", async () => {
  hasIdentity = false;
  for (let count = 0; count < 3; count++) {
    await expect(attempt()).rejects.toThrow("no client certificate");
  }
  expect(refused).toHaveLength(1);
  expect(client.asked).toEqual([]);
});

test("a controller that is down for the first minute is found within the longest delay after it", async () => {
  client.replies = [DOWN];
  const clock = new FakeClock();
  const phase = {
    id: "controller-tls",
    run: (context: Parameters<Session["bringUp"]>[0]) => session.bringUp(context),
    retry: {
      backoff: DEFAULT_BACKOFF,
      attempts: "forever" as const,
      wake: (signal: AbortSignal) => session.changed(signal),
    },
  };
  const events = { publish: () => {} };
  const sequence = new Sequence({ name: "boot", phases: [phase], clock, events });
  const end = sequence.run(new AbortController().signal);
  for (let second = 0; second < 60; second++) {
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
    clock.advance(1000);
  }
  // The last attempt has to be over: one that is under way could already find the controller.
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
  expect(sequence.timeline()[0]).toMatchObject({
    state: "retrying",
    reason: expect.stringContaining("connection refused"),
  });
  client.replies = [OK];
  clock.advance(30_000);
  expect(await end).toMatchObject({ state: "done" });
});
