import { beforeEach, expect, test, vi } from "vitest";
import { AgentError } from "../../../src/base/errors.ts";
import { Unlock } from "../../../src/vault/unlock.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeController } from "../../fakes/fake-controller.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const PENDING = { status: 202, body: { state: "pending", node: "abc", reason: "new", nowMs: 7 } };
const APPROVED = {
  status: 200,
  body: {
    ...{ state: "approved", node: "abc", key: `${"A".repeat(43)}=` },
    ...{ revision: 0, sha256: "", nowMs: 7 },
  },
};

let client: FakeController;
let clock: FakeClock;
let reasons: string[];
let progress: number;
let mounted: string | undefined;
let given: Buffer | undefined;
let unmounts: number;
let adjusted: number[];
let macs: string[];
let unlock: Unlock;

beforeEach(() => {
  client = new FakeController();
  clock = new FakeClock();
  reasons = [];
  progress = 0;
  mounted = undefined;
  given = undefined;
  unmounts = 0;
  adjusted = [];
  macs = ["52:54:00:00:00:01"];
  unlock = new Unlock({
    client,
    clock,
    log: new QuietLog(),
    files: new MemoryFiles({ "/baked/gocryptfs.conf": "{}" }),
    directories: { baked: "/baked", fetched: "/fetched", mountpoint: "/plain" },
    nodeClock: { adjust: async (ms) => adjusted.push(ms) > 0 },
    facts: () => ({ macs, serial: "", vendor: "", product: "", overlayId: "", version: "1" }),
    vault: {
      mounted: () => mounted,
      mount: async (_directory, key) => {
        given = key;
        throw new AgentError("E_VAULT_KEY", "the key does not open the ciphertext");
      },
      unmount: async () => {
        unmounts += 1;
        mounted = undefined;
      },
    },
  });
});

function bringUp(control = new AbortController()) {
  const setReason = (text: string) => reasons.push(text);
  return unlock.bringUp({
    attempt: 1,
    signal: control.signal,
    setReason: (text) => void setReason(text),
    progress: () => {
      progress += 1;
    },
  });
}

test("a mount of the agent before is used, and nobody is asked", async () => {
  mounted = "/run/node0/private";
  expect(await bringUp()).toBe("/plain is mounted since before");
  expect({ asked: client.asked.length, unmounts }).toEqual({ asked: 0, unmounts: 0 });
});

test("a machine that waits for approval says at whom, and asks again within 3 s", async () => {
  client.replies = [PENDING, PENDING, APPROVED];
  const end = bringUp().catch((error: Error) => error.message);
  for (const count of [1, 2]) {
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
    expect(client.asked).toHaveLength(count);
    clock.advance(3000);
  }
  expect(await end).toContain("key does not open");
  expect(reasons[0]).toBe("waiting for an operator to approve abc at https://controller");
  expect(progress).toBe(2);
  expect(adjusted).toEqual([7, 7, 7]);
});

test("a key that is held back is asked for again like an approval", async () => {
  const body = { state: "withheld", node: "abc", reason: "no configuration yet", nowMs: 7 };
  client.replies = [{ status: 409, body }, APPROVED];
  const end = bringUp().catch(() => {});
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
  expect(reasons).toEqual(["https://controller holds the key of abc back: no configuration yet"]);
  clock.advance(3000);
  await end;
  expect(client.asked).toHaveLength(2);
});

test("a controller that wants fewer requests gets them", async () => {
  const body = { code: "E_THROTTLED", message: "", retryAfterS: 20 };
  client.replies = [{ status: 429, body }, APPROVED];
  const end = bringUp().catch(() => {});
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
  clock.advance(19_999);
  expect(client.asked).toHaveLength(1);
  clock.advance(1);
  await end;
  expect(client.asked).toHaveLength(2);
});

test.each(["rejected", "revoked"])("a machine that was %s fails with the note", async (state) => {
  client.replies = [{ status: 403, body: { state, node: "abc", reason: "sold", nowMs: 7 } }];
  await expect(bringUp()).rejects.toThrow(`abc was ${state} by https://controller: sold`);
});

test("the key is wiped when it could not be used", async () => {
  client.replies = [APPROVED];
  await expect(bringUp()).rejects.toThrow("key does not open");
  expect(given?.length).toBe(44);
  expect(given?.every((byte) => byte === 0)).toBe(true);
});

test("without physical interface nobody is asked", async () => {
  macs = [];
  await expect(bringUp()).rejects.toThrow("no physical interface");
  expect(client.asked).toEqual([]);
});

test("waiting for approval ends with its signal", async () => {
  client.replies = [PENDING];
  const control = new AbortController();
  const end = bringUp(control);
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
  control.abort(new Error("going down"));
  await expect(end).rejects.toThrow("going down");
  expect(clock.pendingTimers).toBe(0);
});

test("a mount that is gone is a loss, told once", () => {
  mounted = "/baked";
  const lost: string[] = [];
  unlock.watch((reason) => lost.push(reason), new AbortController().signal);
  clock.advance(10_000);
  expect(lost).toEqual([]);
  mounted = undefined;
  clock.advance(10_000);
  expect(lost).toEqual(["gocryptfs ended, or somebody unmounted it"]);
});

test("a configuration that is of no use is unmounted and asked for again", async () => {
  mounted = "/baked";
  const lost: string[] = [];
  const { signal } = new AbortController();
  unlock.watch((reason) => lost.push(reason), signal);
  const changed = unlock.changed(signal);
  await unlock.again("its client certificate is refused");
  await changed;
  expect({ lost, unmounts }).toEqual({ lost: ["its client certificate is refused"], unmounts: 1 });
});
