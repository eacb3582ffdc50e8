import { expect, test } from "vitest";
import {
  broadcastBytes,
  formatIp,
  formatNetwork,
  parseCidr,
  parseIp,
} from "../../../../src/sys/netlink/ip-text.ts";

test.each([
  ["0.0.0.0", "0.0.0.0"],
  ["192.168.1.254", "192.168.1.254"],
  ["::", "::"],
  ["::1", "::1"],
  ["FE80::0:1", "fe80::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["ff02::", "ff02::"],
])("%s is %s in canonical text", (text, canonical) => {
  expect(formatIp(parseIp(text) ?? Buffer.alloc(0))).toBe(canonical);
});

test.each([
  ["", "10.0.0", "10.0.0.256", "01.2.3.4", "1::2::3", ":::", "fe80::1%eth0", "host", " ::1"],
])("no address: %s", (...texts) => {
  for (const text of texts) expect(parseIp(text), text).toBeUndefined();
});

test("every address survives a round trip", () => {
  for (let round = 0; round < 2000; round += 1) {
    const bytes = Buffer.alloc(round % 2 === 0 ? 4 : 16);
    // Zeros are frequent, as runs of them are what the text shortens.
    for (let index = 0; index < bytes.length; index += 1) {
      bytes[index] = Math.random() < 0.6 ? 0 : Math.floor(Math.random() * 256);
    }
    expect(parseIp(formatIp(bytes))).toEqual(bytes);
  }
});

test.each([
  ["10.1.2.3/8", "10.0.0.0/8"],
  ["10.1.2.255/25", "10.1.2.128/25"],
  ["10.1.2.3/32", "10.1.2.3/32"],
  ["1.2.3.4/0", "0.0.0.0/0"],
  ["2001:db8::ffff:1/112", "2001:db8::ffff:0/112"],
  ["2001:db8::1/63", "2001:db8::/63"],
])("%s is in network %s", (text, network) => {
  const cidr = parseCidr(text);
  expect(cidr && formatNetwork(cidr)).toBe(network);
});

test.each(["10.0.0.1", "10.0.0.1/33", "::1/129", "10.0.0.1/", "10.0.0.1/-1", "10.0.0.1/08", "/8"])(
  "%s is no address with prefix",
  (text) => {
    expect(parseCidr(text)).toBeUndefined();
  },
);

test("the broadcast address has all host bits set", () => {
  expect([...broadcastBytes(Buffer.from([10, 1, 2, 3]), 22)]).toEqual([10, 1, 3, 255]);
});
