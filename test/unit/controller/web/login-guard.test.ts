import { beforeEach, expect, test } from "vitest";
import { LoginGuard } from "../../../../src/controller/web/login-guard.ts";
import { FakeClock } from "../../../fakes/clock.ts";

let clock: FakeClock;
let guard: LoginGuard;

beforeEach(() => {
  clock = new FakeClock();
  guard = new LoginGuard(clock);
});

test("each failure doubles the wait, up to 30 s", () => {
  const waits = Array.from({ length: 9 }, () => {
    guard.failed("10.0.0.1");
    return guard.waitMs("10.0.0.1");
  });
  expect(waits).toStrictEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test("a wait passes with time, and other addresses do not have it", () => {
  guard.failed("10.0.0.1");
  expect(guard.waitMs("10.0.0.2")).toBe(0);
  clock.advance(500);
  expect(guard.waitMs("10.0.0.1")).toBe(0);
});

test("addresses of one IPv6 network count as one", () => {
  guard.failed("2001:db8::1");
  expect(guard.waitMs("2001:db8::ffff:1")).toBe(500);
  expect(guard.waitMs("2001:db8:0:1::1")).toBe(0);
});

test("a login and a quarter of an hour both forget failures", () => {
  guard.failed("10.0.0.1");
  guard.succeeded("10.0.0.1");
  guard.failed("10.0.0.1");
  expect(guard.waitMs("10.0.0.1")).toBe(500);
  clock.advance(15 * 60_000);
  guard.failed("10.0.0.1");
  expect(guard.waitMs("10.0.0.1")).toBe(500);
});
