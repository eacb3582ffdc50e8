import { describe, expect, test } from "vitest";
import {
  type ArpPacket,
  buildAnnouncement,
  buildProbe,
  encodeArp,
  parseArp,
} from "../../../src/network/arp-packet.ts";

const MAC = "52:54:00:12:34:56";
const PROBE = "0001080006040001525400123456000000000000000000000afefe07";
const ANNOUNCEMENT = "00010800060400015254001234560afefe070000000000000afefe07";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

test("a probe names the address as target and nobody as sender", () => {
  expect(hex(buildProbe(MAC, "10.254.254.7"))).toBe(PROBE);
});

test("an announcement names the address as sender and target", () => {
  expect(hex(buildAnnouncement(MAC, "10.254.254.7"))).toBe(ANNOUNCEMENT);
});

test("what is written is read back, padded to the shortest frame or not", () => {
  const packet: ArpPacket = {
    operation: "reply",
    senderMac: "00:0a:ff:00:00:01",
    senderAddress: "255.0.1.2",
    targetMac: MAC,
    targetAddress: "0.0.0.0",
  };
  const written = encodeArp(packet);
  expect(written).toHaveLength(28);
  expect(parseArp(written)).toEqual(packet);
  expect(parseArp(new Uint8Array([...written, ...new Uint8Array(18)]))).toEqual(packet);
});

test("a packet that was cut anywhere is none", () => {
  const whole = bytes(ANNOUNCEMENT);
  for (let length = 0; length < whole.length; length += 1) {
    expect(parseArp(whole.subarray(0, length)), `${length} bytes`).toBeUndefined();
  }
  expect(parseArp(whole)).toBeDefined();
});

describe("what is not a request or reply for Ethernet and IPv4 is none", () => {
  test.each([
    ["hardware of another type", 1, 6],
    ["another protocol", 2, 0x86],
    ["hardware addresses of another length", 4, 8],
    ["addresses of another length", 5, 16],
    ["operation 0", 7, 0],
    ["operation 3, reverse ARP", 7, 3],
    ["an operation above 255", 6, 1],
  ])("%s", (_, at, value) => {
    const packet = bytes(PROBE);
    packet[at] = value;
    expect(parseArp(packet)).toBeUndefined();
  });
});

test.each(["10.254.254", "10.254.254.256", "10.254.254.07", "10.254.254.7.1", "", "a.b.c.d"])(
  "the address %j is refused",
  (address) => {
    expect(() => buildProbe(MAC, address)).toThrow(RangeError);
  },
);

test.each(["", "52:54:00:12:34", "52:54:00:12:34:5g", "525400123456", "52:54:0:12:34:56"])(
  "the hardware address %j is refused",
  (mac) => {
    expect(() => buildProbe(mac, "10.0.0.1")).toThrow(RangeError);
  },
);
