import { expect, test } from "vitest";
import {
  readArchive,
  readHeartbeat,
  readSession,
  readUnlock,
} from "../../../src/vault/controller-answers.ts";

const KEY = `${"A".repeat(43)}=`;
const APPROVED = {
  state: "approved",
  node: "abc",
  key: KEY,
  revision: 2,
  sha256: "0".repeat(64),
  nowMs: 5,
};

const reply = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
});

test("an approval gives the key as bytes, and nothing of it stays in the answer", () => {
  const answer = reply(200, APPROVED);
  const outcome = readUnlock(answer);
  expect(outcome).toMatchObject({ state: "approved", node: "abc", revision: 2, nowMs: 5 });
  expect("key" in outcome && outcome.key.toString()).toBe(KEY);
  expect(answer.body.every((byte) => byte === 0)).toBe(true);
});

test.each([
  [202, "pending"],
  [403, "rejected"],
  [403, "revoked"],
  [409, "withheld"],
])("status %i with state %s is an outcome, not an error", (status, state) => {
  const body = { state, node: "abc", reason: "why", nowMs: 5 };
  expect(readUnlock(reply(status, body))).toEqual(body);
});

test("a state with the status of another one is refused", () => {
  expect(() => readUnlock(reply(202, APPROVED))).toThrow("status 202");
  expect(() => readUnlock(reply(200, { ...APPROVED, state: "pending" }))).toThrow("status 200");
  expect(() => readUnlock(reply(200, { ...APPROVED, state: "constructor" }))).toThrow("status 200");
});

test("approvals without a key, revision, digest or time are refused without showing the key", () => {
  for (const wrong of [
    { key: "x" },
    { revision: -1 },
    { revision: "1" },
    { sha256: "00" },
    { revision: 0 },
    { nowMs: null },
    { node: 7 },
  ]) {
    const read = () => readUnlock(reply(200, { ...APPROVED, ...wrong }));
    expect(read).toThrow("not as agreed");
    expect(read).not.toThrow(KEY);
  }
});

test("throttling waits as long as asked, within a second and a minute", () => {
  const body = { code: "E_THROTTLED", message: "slowly" };
  const wait = (value: object, headers = {}) => readUnlock(reply(429, value, headers));
  expect(wait({ ...body, retryAfterS: 7 })).toEqual({
    state: "throttled",
    reason: "slowly",
    retryAfterS: 7,
  });
  expect(wait(body, { "retry-after": "9" })).toMatchObject({ retryAfterS: 9 });
  expect(wait({ ...body, retryAfterS: 1e9 })).toMatchObject({ retryAfterS: 60 });
  expect(wait({ ...body, retryAfterS: -5 })).toMatchObject({ retryAfterS: 1 });
  expect(wait({ ...body, retryAfterS: "soon" })).toMatchObject({ retryAfterS: 10 });
});

test("garbage is told without its content", () => {
  const secret = `garbage ${KEY}`;
  for (const body of [secret, "[1]", "null", '"text"', "", `{"state": ${KEY}`]) {
    expect(() => readUnlock(reply(200, body))).toThrow("the answer is not a JSON object");
  }
  expect(() => readUnlock(reply(502, "<html>"))).toThrow("it answered with status 502");
});

test("texts for people cannot steer a terminal and are short", () => {
  const reason = `\u001b[2J${"x".repeat(1000)}\n`;
  const outcome = readUnlock(reply(409, { state: "withheld", node: "a", reason, nowMs: 1 }));
  expect("reason" in outcome && outcome.reason).toMatch(/^ \[2Jx{252}$/);
});

test("sessions and heartbeats tell a refused certificate from a broken controller", () => {
  expect(readSession(reply(200, { node: "a", nowMs: 1 }))).toEqual({ node: "a", nowMs: 1 });
  expect(readHeartbeat(reply(200, { nextMs: 2, nowMs: 1 }))).toEqual({ nextMs: 2, nowMs: 1 });
  const error = { code: "E_REVOKED", message: "certificate revoked" };
  for (const status of [401, 403]) {
    expect(() => readSession(reply(status, error))).toThrow(
      expect.objectContaining({ code: "E_CONTROLLER_IDENTITY" }),
    );
  }
  for (const status of [404, 500, 503]) {
    expect(() => readHeartbeat(reply(status, error))).toThrow(
      expect.objectContaining({ code: "E_CONTROLLER" }),
    );
  }
});

test("an archive is bytes, 404 is none, the rest is an error", () => {
  expect(readArchive(reply(200, "tar"))?.toString()).toBe("tar");
  expect(readArchive(reply(404, "{}"))).toBeUndefined();
  expect(() => readArchive(reply(500, { message: "disk full" }))).toThrow("status 500: disk full");
});
