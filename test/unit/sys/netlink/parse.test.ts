import { describe, expect, test } from "vitest";
import { AgentError } from "../../../../src/base/errors.ts";
import { attribute, textAttribute, u32Attribute } from "../../../../src/sys/netlink/attributes.ts";
import { linkBody } from "../../../../src/sys/netlink/build-changes.ts";
import { type NetlinkMessage, parseMessages } from "../../../../src/sys/netlink/message.ts";
import { NoticeReader } from "../../../../src/sys/netlink/notice-reader.ts";
import { parseAddresses } from "../../../../src/sys/netlink/parse-addresses.ts";
import { parseLinks } from "../../../../src/sys/netlink/parse-links.ts";
import { parseRoutes } from "../../../../src/sys/netlink/parse-routes.ts";
import { DUMPS, dumpedMessages } from "../../../fixtures/netlink/dumps.ts";

const links = parseLinks(dumpedMessages("links"));
const names = new Map(links.map(({ index, name }) => [index, name]));

test("links have kind, state, master and what is below them", () => {
  const plain = { kind: "veth", isLoopback: false, parent: null, vlanId: null, bondMode: null };
  const up = { isUp: true, hasCarrier: true, master: null };
  expect(links).toEqual([
    {
      ...plain,
      ...up,
      name: "lo",
      index: 1,
      kind: "device",
      mac: "",
      mtu: 65_536,
      isLoopback: true,
    },
    { ...plain, ...up, name: "br0", index: 2, kind: "bridge", mac: "02:00:00:00:00:01", mtu: 1400 },
    { ...plain, ...up, name: "v1", index: 3, mac: "02:00:00:00:00:03", mtu: 1500 },
    { ...plain, ...up, name: "v0", index: 4, mac: "02:00:00:00:00:02", mtu: 1400, master: "br0" },
    {
      ...plain,
      name: "mv0",
      index: 5,
      kind: "macvlan",
      mac: "02:00:00:00:00:04",
      mtu: 1500,
      isUp: false,
      hasCarrier: false,
      master: null,
      parent: "v1",
    },
  ]);
});

/** A link as drivers tell it that the capture has none of. */
function madeLink(kind: string, data: Buffer, more: readonly Buffer[] = []): NetlinkMessage {
  const info = Buffer.concat([textAttribute(1, kind), attribute(2, data)]);
  const attributes = [textAttribute(3, "x0"), attribute(18, info), ...more];
  return { type: 16, flags: 0, sequence: 1, body: linkBody({ index: 9 }, attributes) };
}

test("a VLAN has its number and its parent, a bond its mode", () => {
  const id = attribute(1, Buffer.from([100, 0]));
  const [vlan] = parseLinks([
    ...dumpedMessages("links"),
    madeLink("vlan", id, [u32Attribute(5, 3)]),
  ]).slice(-1);
  expect(vlan).toMatchObject({ kind: "vlan", vlanId: 100, parent: "v1", bondMode: null });
  const [bond] = parseLinks([madeLink("bond", attribute(1, Buffer.from([4])))]);
  expect(bond).toMatchObject({ kind: "bond", bondMode: "802.3ad", vlanId: null });
});

test("a parent in another namespace is not told by the name of one here", () => {
  const elsewhere = [u32Attribute(5, 3), u32Attribute(37, 0)];
  const [link] = parseLinks([
    ...dumpedMessages("links"),
    madeLink("macvlan", Buffer.alloc(0), elsewhere),
  ]).slice(-1);
  expect(link?.parent).toBeNull();
});

test("a link that is down has no carrier, whatever its flags say", () => {
  const body = linkBody({ index: 1, flags: 0x10000 }, [textAttribute(3, "x0")]);
  expect(parseLinks([{ type: 16, flags: 0, sequence: 1, body }])[0]?.hasCarrier).toBe(false);
});

test("addresses have their own end, scope, life and owner", () => {
  const plain = { isTentative: false, isDuplicate: false, validSeconds: null, protocol: 0 };
  const four = { ...plain, family: 4 };
  const six = { ...plain, family: 6 };
  expect(parseAddresses(dumpedMessages("addresses"), names)).toEqual([
    { ...four, interface: "lo", address: "127.0.0.1", prefix: 8, scope: "host" },
    {
      ...four,
      interface: "br0",
      address: "10.1.0.1",
      prefix: 24,
      scope: "global",
      validSeconds: 3600,
      protocol: 210,
    },
    { ...four, interface: "v1", address: "10.2.0.1", prefix: 32, scope: "global" },
    { ...six, interface: "lo", address: "::1", prefix: 128, scope: "host", protocol: 1 },
    { ...six, interface: "br0", address: "fd00::1", prefix: 64, scope: "global" },
    {
      ...six,
      interface: "br0",
      address: "fe80::ff:fe00:1",
      prefix: 64,
      scope: "link",
      isTentative: true,
      protocol: 3,
    },
    { ...six, interface: "v1", address: "fe80::ff:fe00:3", prefix: 64, scope: "link", protocol: 3 },
    { ...six, interface: "v0", address: "fe80::ff:fe00:2", prefix: 64, scope: "link", protocol: 3 },
  ]);
});

test("routes are those of the main table that lead somewhere, by their first next hop", () => {
  const row = (
    destination: string,
    gateway: string | null,
    name: string,
    metric: number,
    protocol: number,
  ) => ({
    family: destination.includes(":") ? 6 : 4,
    destination,
    gateway,
    interface: name,
    metric,
    protocol,
  });
  expect(parseRoutes(dumpedMessages("routes"), names)).toEqual([
    row("0.0.0.0/0", "10.1.0.2", "br0", 5, 210),
    row("10.1.0.0/24", null, "br0", 0, 2),
    row("10.2.0.2/32", null, "v1", 0, 2),
    row("10.5.0.0/16", "fe80::9", "br0", 0, 3),
    row("10.6.0.0/16", "10.1.0.3", "br0", 0, 3),
    row("fd00::/64", null, "br0", 256, 2),
    row("fd01::/64", "fd00::3", "br0", 1024, 3),
    row("fe80::/64", null, "v1", 256, 2),
    row("fe80::/64", null, "v0", 256, 2),
    row("fe80::/64", null, "br0", 256, 2),
    row("::/0", "fd00::2", "br0", 1024, 3),
  ]);
});

test("what belongs to a link nobody knows is left out", () => {
  expect(parseAddresses(dumpedMessages("addresses"), new Map())).toEqual([]);
  expect(parseRoutes(dumpedMessages("routes"), new Map())).toEqual([]);
});

/** Everything that reads what the kernel sent. */
function readAll(messages: readonly NetlinkMessage[]): void {
  parseLinks(messages);
  parseAddresses(messages, names);
  parseRoutes(messages, names);
}

/** Anything but a plain refusal is a mistake of the codec. */
function isReadOrRefused(action: () => void): void {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(AgentError);
    expect(error).toMatchObject({ code: "E_NETLINK" });
  }
}

describe("damaged messages", () => {
  const datagrams = [...DUMPS.links, ...DUMPS.addresses, ...DUMPS.routes];

  test("a datagram that is cut short is refused, except between two messages", () => {
    for (const datagram of datagrams) {
      const ends = new Set([0]);
      let end = 0;
      for (const { body } of parseMessages(datagram)) {
        end += 16 + body.length;
        // The last message may come without its padding.
        ends.add(end);
        end = (end + 3) & ~3;
        ends.add(end);
      }
      for (let length = 0; length < datagram.length; length += 1) {
        const read = () => parseMessages(datagram.subarray(0, length));
        if (ends.has(length)) expect(read).not.toThrow();
        else expect(read).toThrow("Cannot read netlink message");
      }
    }
  });

  test("a body that is cut short is read up to there or refused", () => {
    for (const message of datagrams.flatMap(parseMessages)) {
      for (let length = 0; length < message.body.length; length += 1) {
        isReadOrRefused(() => readAll([{ ...message, body: message.body.subarray(0, length) }]));
      }
    }
  });

  test("any byte may be wrong without worse than a refusal", () => {
    const values = [0, 1, 3, 4, 0x7f, 0xff];
    for (const datagram of datagrams) {
      for (let index = 0; index < datagram.length; index += 1) {
        const damaged = Buffer.from(datagram);
        damaged[index] = values[index % values.length] ?? 0;
        isReadOrRefused(() => readAll(parseMessages(damaged)));
        isReadOrRefused(() => new NoticeReader(names).read(damaged));
      }
    }
  });

  test("a length of nothing does not go round for ever", () => {
    expect(() => parseMessages(Buffer.alloc(64))).toThrow("length 0 seen, 64 bytes left");
    const body = linkBody({ index: 1 }, [Buffer.alloc(8)]);
    expect(() => parseLinks([{ type: 16, flags: 0, sequence: 1, body }])).toThrow("length 0 seen");
  });
});

describe("notices", () => {
  test("carry the name of the link they are about", () => {
    const reader = new NoticeReader(names);
    const kinds = (table: "links" | "addresses" | "routes") =>
      DUMPS[table].flatMap((datagram) => reader.read(datagram));
    expect(kinds("links")).toContainEqual({ kind: "link", interface: "br0" });
    expect(kinds("addresses")).toContainEqual({ kind: "address", interface: "v1" });
    expect(kinds("routes")).toContainEqual({ kind: "route", interface: "br0" });
    expect(kinds("routes")).toHaveLength(11);
  });

  test("of a link seen for the first time teach its name, and those of its end take it away", () => {
    const reader = new NoticeReader(new Map());
    const [addressNotice = Buffer.alloc(0)] = DUMPS.addresses;
    const heard = () => new Set(reader.read(addressNotice).map((event) => event.interface));
    expect(heard()).toEqual(new Set([""]));
    for (const datagram of DUMPS.links) reader.read(datagram);
    expect(heard()).toEqual(new Set(["lo", "br0", "v1", "v0"]));
    const gone = Buffer.concat(DUMPS.links.slice(0, 1));
    let offset = 0;
    for (const { body } of parseMessages(gone)) {
      gone.writeUInt16LE(17, offset + 4);
      offset = (offset + 16 + body.length + 3) & ~3;
    }
    reader.read(gone);
    expect(heard()).toContain("");
  });
});
