import { describe, expect, test } from "vitest";
import { Authenticator } from "../../../src/api/authenticator.ts";
import { networkOf } from "../../../src/api/network-of.ts";
import { FakeClock } from "../../fakes/clock.ts";

describe("the password", () => {
  test("is compared as UTF-8 bytes", () => {
    const authenticator = new Authenticator("pässword", new FakeClock());
    expect(authenticator.accepts("default", "p\xc3\xa4ssword")).toBe(true);
    expect(authenticator.accepts("default", "p\xe4ssword")).toBe(false);
  });

  test.each(["", "s", "secre", "secrey", "secretsecret", "xsecret", "secret\0", "SECRET"])(
    "is not %j, which is only like it",
    (candidate) => {
      const authenticator = new Authenticator("secret", new FakeClock());
      expect(authenticator.accepts("default", candidate)).toBe(false);
      expect(authenticator.accepts("default", "secret")).toBe(true);
    },
  );

  test("belongs to the user default", () => {
    const authenticator = new Authenticator("x", new FakeClock());
    expect(authenticator.accepts("root", "x")).toBe(false);
  });

  test("that is set takes the place of the one before at once", () => {
    const authenticator = new Authenticator("old", new FakeClock());
    authenticator.setPassword("new");
    expect(authenticator.accepts("default", "old")).toBe(false);
    expect(authenticator.accepts("default", "new")).toBe(true);
    authenticator.setPassword(null);
    expect(authenticator.hasPassword).toBe(false);
    expect(authenticator.accepts("default", "new")).toBe(false);
  });

  test("cannot be presented when there is none", () => {
    const authenticator = new Authenticator(null, new FakeClock());
    expect(authenticator.hasPassword).toBe(false);
    expect(authenticator.accepts("default", "")).toBe(false);
  });
});

describe("failures", () => {
  test("are delayed twice as long each time up to two seconds", () => {
    const authenticator = new Authenticator("x", new FakeClock());
    const delays = Array.from(
      { length: 8 },
      () => authenticator.recordFailure("192.0.2.1").delayMs,
    );
    expect(delays).toEqual([100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  });

  test("are forgotten after a success, and after ten quiet minutes", () => {
    const clock = new FakeClock();
    const authenticator = new Authenticator("x", clock);
    authenticator.recordFailure("192.0.2.1");
    authenticator.recordSuccess("192.0.2.1");
    expect(authenticator.recordFailure("192.0.2.1").count).toBe(1);
    clock.advance(600_001);
    expect(authenticator.recordFailure("192.0.2.1").count).toBe(1);
  });

  test("of very many addresses push out the oldest", () => {
    const authenticator = new Authenticator("x", new FakeClock());
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
