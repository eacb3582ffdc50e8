import { beforeEach, expect, test } from "vitest";
import { isSameSecret, Sessions } from "../../../../src/controller/web/sessions.ts";
import { FakeClock } from "../../../fakes/clock.ts";

const HOUR_MS = 3_600_000;

let clock: FakeClock;
let sessions: Sessions;

beforeEach(() => {
  clock = new FakeClock();
  sessions = new Sessions(clock);
});

test("ids and form tokens are 32 random bytes and all different", () => {
  const texts = [1, 2, 3].flatMap(() => {
    const { id, session } = sessions.start();
    return [id, session.csrf];
  });
  expect(new Set(texts).size).toBe(6);
  for (const text of texts) expect(Buffer.from(text, "base64url")).toHaveLength(32);
});

test("a session is found by its id alone", () => {
  const { id, session } = sessions.start();
  expect(sessions.find(id)).toBe(session);
  expect(sessions.find("")).toBeUndefined();
  expect(sessions.find(`${id}x`)).toBeUndefined();
});

test("two hours without a page end a session", () => {
  const { id } = sessions.start();
  clock.advance(2 * HOUR_MS - 1);
  expect(sessions.find(id)).toBeDefined();
  clock.advance(1);
  expect(sessions.find(id)).toBeUndefined();
});

test("a session that is used lasts, but no longer than twelve hours", () => {
  const { id, session } = sessions.start();
  for (let hour = 1; hour < 12; hour += 1) {
    clock.advance(HOUR_MS);
    expect(sessions.find(id)).toBe(session);
    sessions.touch(session);
  }
  clock.advance(HOUR_MS);
  expect(sessions.find(id)).toBeUndefined();
});

test("what hangs on a session ends with it", () => {
  const { id, session } = sessions.start();
  const ended: string[] = [];
  session.onEnd.add(() => ended.push("logged out"));
  sessions.start().session.onEnd.add(() => ended.push("all"));
  sessions.end(id);
  expect(ended).toStrictEqual(["logged out"]);
  sessions.endAll();
  expect(ended).toStrictEqual(["logged out", "all"]);
});

test("the oldest session makes room when there are too many", () => {
  const first = sessions.start();
  const second = sessions.start();
  for (let count = 2; count <= 100; count += 1) sessions.start();
  expect(sessions.find(first.id)).toBeUndefined();
  expect(sessions.find(second.id)).toBeDefined();
});

test("secrets are the same only when they are", () => {
  expect(isSameSecret("abc", "abc")).toBe(true);
  expect(isSameSecret("abd", "abc")).toBe(false);
  expect(isSameSecret("", "abc")).toBe(false);
  expect(isSameSecret("abcd", "abc")).toBe(false);
});
