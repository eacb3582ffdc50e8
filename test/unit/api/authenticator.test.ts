import { describe, expect, test } from "vitest";
import { Authenticator, carriesPassword } from "../../../src/api/authenticator.ts";
import { networkOf } from "../../../src/api/network-of.ts";
import { NODE_USER } from "../../../src/api/users.ts";
import { FakeClock } from "../../fakes/clock.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const DEFAULT_USER = bytes("default");

const accepts = (authenticator: Authenticator, user: Uint8Array | null, candidate: Uint8Array) =>
  authenticator.find(user, candidate) === NODE_USER;

describe("the password", () => {
  test("is compared as bytes", () => {
    const authenticator = new Authenticator(bytes("pässword"), new FakeClock());
    expect(accepts(authenticator, DEFAULT_USER, Buffer.from("p\xc3\xa4ssword", "latin1"))).toBe(
      true,
    );
    expect(accepts(authenticator, DEFAULT_USER, Buffer.from("p\xe4ssword", "latin1"))).toBe(false);
  });

  test("belongs to the user default", () => {
    const authenticator = new Authenticator(bytes("x"), new FakeClock());
    expect(accepts(authenticator, DEFAULT_USER, bytes("x"))).toBe(true);
    expect(accepts(authenticator, bytes("root"), bytes("x"))).toBe(false);
  });

  test("is not kept: who gave it may wipe it", () => {
    const password = bytes("secret");
    const authenticator = new Authenticator(password, new FakeClock());
    password.fill(0);
    expect(accepts(authenticator, DEFAULT_USER, bytes("secret"))).toBe(true);
    expect(accepts(authenticator, DEFAULT_USER, password)).toBe(false);
  });

  test("that is set takes the place of the one before at once", () => {
    const authenticator = new Authenticator(bytes("old"), new FakeClock());
    expect(authenticator.setPassword(bytes("old"))).toBe(false);
    expect(authenticator.setPassword(bytes("new"))).toBe(true);
    expect(accepts(authenticator, DEFAULT_USER, bytes("old"))).toBe(false);
    expect(accepts(authenticator, DEFAULT_USER, bytes("new"))).toBe(true);
    expect(authenticator.setPassword(null)).toBe(true);
    expect(authenticator.setPassword(null)).toBe(false);
    expect(authenticator.hasPassword).toBe(false);
    expect(accepts(authenticator, DEFAULT_USER, bytes("new"))).toBe(false);
    expect(authenticator.setPassword(bytes("new"))).toBe(true);
    expect(accepts(authenticator, DEFAULT_USER, bytes("new"))).toBe(true);
  });

  test("cannot be presented when there is none", () => {
    const authenticator = new Authenticator(null, new FakeClock());
    expect(authenticator.hasPassword).toBe(false);
    expect(accepts(authenticator, DEFAULT_USER, bytes(""))).toBe(false);
  });
});

test.each(["auth", "AUTH", "Auth", "hello", "HELLO"])("what is behind %s is hidden", (name) => {
  expect(carriesPassword(name)).toBe(true);
});

test.each(["", "get", "append", "hget", "authx", "xauth", "helo"])("behind %j not", (name) => {
  expect(carriesPassword(name)).toBe(false);
});

describe("failures", () => {
  test("are delayed twice as long each time up to two seconds", () => {
    const authenticator = new Authenticator(bytes("x"), new FakeClock());
    const delays = Array.from(
      { length: 8 },
      () => authenticator.recordFailure("192.0.2.1").delayMs,
    );
    expect(delays).toEqual([100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  });

  test("are forgotten after a success, and after ten quiet minutes", () => {
    const clock = new FakeClock();
    const authenticator = new Authenticator(bytes("x"), clock);
    authenticator.recordFailure("192.0.2.1");
    authenticator.recordSuccess("192.0.2.1", NODE_USER);
    expect(authenticator.recordFailure("192.0.2.1").count).toBe(1);
    clock.advance(600_001);
    expect(authenticator.recordFailure("192.0.2.1").count).toBe(1);
  });

  test("of very many addresses push out the oldest", () => {
    const authenticator = new Authenticator(bytes("x"), new FakeClock());
    authenticator.recordFailure("192.0.2.1");
    for (let index = 0; index < 5000; index += 1) {
      authenticator.recordFailure(`10.${index >> 8}.${index & 255}.1`);
    }
    expect(authenticator.recordFailure("192.0.2.1").count).toBe(1);
  });
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::6", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["unix", "unix"],
])("%s is counted as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
