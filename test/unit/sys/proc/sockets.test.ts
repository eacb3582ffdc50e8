import { describe, expect, test } from "vitest";
import { formatKernelAddress, parseSocketTable } from "../../../../src/sys/proc/sockets.ts";
import { readFixture } from "../../../fixtures/proc/read-fixture.ts";

test("keeps TCP sockets in listen state, in table order", () => {
  expect(parseSocketTable("tcp", readFixture("tcp.txt"))).toStrictEqual([
    { network: "tcp", ip: "127.0.0.1", port: 6379, inode: 4711 },
    { network: "tcp", ip: "0.0.0.0", port: 22, inode: 4712 },
  ]);
});

test("keeps UDP sockets that are not connected", () => {
  const text = [
    "  sl  local_address rem_address   st",
    "  511: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 31 2 0 0",
    "  512: 0100007F:0045 0100007F:0046 01 00000000:00000000 00:00000000 00000000 0 0 32 2 0 0",
    "",
  ].join("\n");
  expect(parseSocketTable("udp", text)).toStrictEqual([
    { network: "udp", ip: "0.0.0.0", port: 68, inode: 31 },
  ]);
});

test("keeps unix sockets in state 01 with their whole path", () => {
  expect(parseSocketTable("unix", readFixture("unix.txt"))).toStrictEqual([
    { network: "unix", port: 0, path: "/run/a socket with blanks", inode: 20001 },
    { network: "unix", port: 0, path: "@abstract", inode: 20003 },
    { network: "unix", port: 0, path: "", inode: 20004 },
  ]);
});

test("a missing table holds no sockets", () => {
  expect(parseSocketTable("tcp6", "")).toStrictEqual([]);
});

describe("addresses", () => {
  test.each([
    ["020200C0", "192.0.2.2"],
    ["00000000000000000000000000000000", "::"],
    ["00000000000000000000000001000000", "::1"],
    ["000080FE00000000FF00FC00010000FE", "fe80::fc:ff:fe00:1"],
    ["B80D0120000000000000000000000000", "2001:db8::"],
    ["B80D0120010000000100000001000000", "2001:db8:0:1:0:1:0:1"],
    ["B80D0120000001000000000001000000", "2001:db8:1::1"],
    ["B80D0120000000000100000001000000", "2001:db8::1:0:1"],
    ["0000000000000000FFFF0000020200C0", "192.0.2.2"],
  ])("%s is %s", (hex, text) => {
    expect(formatKernelAddress(hex)).toBe(text);
  });
});
