import { expect, test } from "vitest";
import { buildAnnouncement, buildProbe, encodeArp } from "../../../src/network/arp-packet.ts";
import { buildArpFilter } from "../../../src/sys/arp-filter.ts";

const ADDRESS = "10.254.254.7";
const OTHER = "10.254.254.8";
const MAC = "52:54:00:12:34:56";
const [HOST, BROADCAST, OTHER_HOST, OUTGOING] = [0, 1, 3, 4];

/** Runs the filter as the kernel does. @returns how many bytes of the packet pass; 0: dropped. */
function pass(packet: Uint8Array, packetType: number = BROADCAST): number {
  const program = new DataView(buildArpFilter(ADDRESS).buffer);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  let accumulator = 0;
  for (let at = 0; at < program.byteLength; at += 8) {
    const code = program.getUint16(at, true);
    const value = program.getUint32(at + 4, true);
    const jump = (isTrue: boolean): void => {
      at += 8 * program.getUint8(at + (isTrue ? 2 : 3));
    };
    if (code === 0x06) return value;
    if (code === 0x15) jump(accumulator === value);
    else if (code === 0x25) jump(accumulator > value);
    else if (value === 0xfffff004) accumulator = packetType;
    else {
      const length = code === 0x20 ? 4 : 2;
      if (value + length > packet.length) return 0;
      accumulator = length === 4 ? view.getUint32(value) : view.getUint16(value);
    }
  }
  throw new Error("the filter does not end with a verdict");
}

test("announcements of the address and probes for it pass", () => {
  expect(pass(buildAnnouncement(MAC, ADDRESS))).toBe(28);
  expect(pass(buildProbe(MAC, ADDRESS))).toBe(28);
});

test("an answer of its owner passes", () => {
  const reply = encodeArp({
    operation: "reply",
    senderMac: MAC,
    senderAddress: ADDRESS,
    targetMac: "52:54:00:00:00:01",
    targetAddress: "0.0.0.0",
  });
  expect(pass(reply, HOST)).toBe(28);
});

test("requests for the address by somebody who has one are dropped", () => {
  const request = encodeArp({
    operation: "request",
    senderMac: MAC,
    senderAddress: OTHER,
    targetMac: "00:00:00:00:00:00",
    targetAddress: ADDRESS,
  });
  expect(pass(request)).toBe(0);
});

test("packets about other addresses are dropped", () => {
  expect(pass(buildAnnouncement(MAC, OTHER))).toBe(0);
  expect(pass(buildProbe(MAC, OTHER))).toBe(0);
});

test("packets this host sends, and those for other hosts, are dropped", () => {
  for (const type of [OTHER_HOST, OUTGOING]) {
    expect(pass(buildAnnouncement(MAC, ADDRESS), type)).toBe(0);
  }
});

test("packets that were cut are dropped", () => {
  const probe = buildProbe(MAC, ADDRESS);
  for (let length = 0; length < probe.length; length += 1) {
    expect(pass(probe.subarray(0, length)), `${length} bytes`).toBe(0);
  }
});

test("packets for other hardware and protocols are dropped", () => {
  for (const at of [0, 1, 2, 3, 4, 5]) {
    const packet = buildAnnouncement(MAC, ADDRESS);
    packet[at] = 99;
    expect(pass(packet), `byte ${at}`).toBe(0);
  }
});

test("addresses above 127 are compared whole", () => {
  const program = new DataView(buildArpFilter("192.168.1.255").buffer);
  expect(program.getUint32(7 * 8 + 4, true)).toBe(0xc0a801ff);
});
