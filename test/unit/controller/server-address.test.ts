import { expect, test } from "vitest";
import { plainAddress, sourceOf } from "../../../src/controller/server-address.ts";

test("an address has one form, however it came", () => {
  expect(plainAddress("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(plainAddress("192.0.2.1")).toBe("192.0.2.1");
  expect(plainAddress("2001:0DB8:0:0::1")).toBe("2001:db8::1");
  expect(plainAddress("fe80::1%eth0")).toBe("fe80::1");
});

test("limits count IPv4 by address and IPv6 by /64", () => {
  expect(sourceOf("192.0.2.1")).toBe("192.0.2.1");
  expect(sourceOf("2001:db8::1")).toBe("2001:db8:0:0::/64");
  expect(sourceOf("2001:db8:0:1:2:3:4:5")).toBe("2001:db8:0:1::/64");
  expect(sourceOf("2001:db8::2:3:4:5")).toBe("2001:db8:0:0::/64");
  expect(sourceOf("::1")).toBe("0:0:0:0::/64");
});
