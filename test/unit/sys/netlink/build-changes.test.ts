import { describe, expect, test } from "vitest";
import { AgentError } from "../../../../src/base/errors.ts";
import { parseAttributes } from "../../../../src/sys/netlink/attributes.ts";
import { buildChange } from "../../../../src/sys/netlink/build-changes.ts";
import type { NetworkChange } from "../../../../src/sys/network-state.ts";

const indexOf = (name: string): number => {
  const index = ["lo", "eth0", "br0"].indexOf(name) + 1;
  if (index === 0) throw new AgentError("E_NO_LINK", `Cannot find link ${name}: there is none`);
  return index;
};

/** Type, flags and fixed part in hexadecimal, then the payload of each attribute by number. */
function shown(change: NetworkChange, headBytes: number): unknown[] {
  return buildChange(change, indexOf).map(({ type, flags, body }) => {
    const attributes = [...parseAttributes(body, headBytes)];
    return [
      type,
      flags,
      body.subarray(0, headBytes).toString("hex"),
      Object.fromEntries(attributes.map(([key, payload]) => [key, payload.toString("hex")])),
    ];
  });
}

const hex = (text: string): string => Buffer.from(text).toString("hex");
const CREATE = 0x600;

describe("links", () => {
  test("a VLAN is made with its parent and number", () => {
    const link = { kind: "vlan", parent: "eth0", vlanId: 100 } as const;
    const [[type, flags, , attributes] = []] = shown({ op: "link.add", name: "v", link }, 16) as [
      unknown[],
    ];
    expect([type, flags]).toEqual([16, CREATE]);
    expect(attributes).toEqual({
      3: hex("v\0"),
      5: "02000000",
      // Kind "vlan", then data with attribute 1 of two bytes.
      18: `09000100${hex("vlan\0")}0000000c0002000600010064000000`,
    });
  });

  test("a bond is made with the number of its mode and its monitoring interval", () => {
    const link = { kind: "bond", mode: "802.3ad", miimonMs: 100 } as const;
    const [[, , , attributes] = []] = shown({ op: "link.add", name: "b", link }, 16) as [unknown[]];
    expect(attributes).toMatchObject({
      18: `09000100${hex("bond\0")}000000140002000500010004000000080003006400${"0000"}`,
    });
  });

  test("all settings are one request, the state among the flags", () => {
    const change = { op: "link.set", name: "eth0", isUp: true, mtu: 9000, master: "br0" } as const;
    expect(shown(change, 16)).toEqual([
      [19, 0, "00000000020000000100000001000000", { 4: "28230000", 10: "03000000" }],
    ]);
  });

  test("down comes before everything else, as bonds refuse links that are up", () => {
    const change = { op: "link.set", name: "eth0", isUp: false, master: null } as const;
    expect(shown(change, 16)).toEqual([
      [19, 0, "00000000020000000000000001000000", {}],
      [19, 0, "00000000020000000000000001000000", { 10: "00000000" }],
    ]);
  });

  test("nothing to set is no request", () => {
    expect(buildChange({ op: "link.set", name: "eth0" }, indexOf)).toEqual([]);
  });
});

describe("addresses", () => {
  const add = { op: "address.add", interface: "eth0", address: "10.0.0.1", prefix: 24 } as const;

  test("of IPv4 get a broadcast address, life and owner", () => {
    expect(shown({ ...add, validSeconds: 256, protocol: 210 }, 8)).toEqual([
      [
        20,
        CREATE,
        "0218000002000000",
        {
          1: "0a000001",
          2: "0a000001",
          4: "0a0000ff",
          6: "00010000000100000000000000000000",
          11: "d2",
        },
      ],
    ]);
  });

  test.each([31, 32])("of a network of %i bits get none", (prefix) => {
    const [[, , , attributes] = []] = shown({ ...add, prefix }, 8) as [unknown[]];
    expect(attributes).toEqual({ 1: "0a000001", 2: "0a000001" });
  });

  test.each([
    { address: "10.0.0.1", prefix: 33 },
    { address: "10.0.0.1", prefix: 1.5 },
    { address: "::1", prefix: -1 },
    { address: "gateway", prefix: 8 },
  ])("%j is refused", (wrong) => {
    expect(() => buildChange({ ...add, ...wrong }, indexOf)).toThrow(
      expect.objectContaining({ code: "E_NETLINK", fields: { errno: "EINVAL" } }),
    );
  });
});

describe("routes", () => {
  const route = { destination: "10.9.0.0/16", gateway: "10.0.0.2", interface: "eth0" } as const;

  test("are static, in the main table, and unicast unless told otherwise", () => {
    expect(shown({ op: "route.add", ...route, metric: 5 }, 12)).toEqual([
      [
        24,
        CREATE,
        "0210" + "0000" + "fe04" + "0001" + "00000000",
        { 1: "0a090000", 4: "02000000", 5: "0a000002", 6: "05000000" },
      ],
    ]);
  });

  test("without a gateway reach no further than the link", () => {
    const [[, , head] = []] = shown({ op: "route.add", ...route, gateway: null }, 12) as [
      unknown[],
    ];
    expect(head).toBe("02100000fe04fd0100000000");
  });

  test("that replace, are on link, and have an owner say so", () => {
    const more = { isOnLink: true, protocol: 210 };
    expect(shown({ op: "route.replace", ...route, ...more }, 12)).toMatchObject([
      [24, 0x500, "02100000fed2000104000000", {}],
    ]);
  });

  test("are removed whoever set them", () => {
    expect(shown({ op: "route.remove", ...route, gateway: null }, 12)).toEqual([
      [25, 0, "02100000fe00ff0000000000", { 1: "0a090000", 4: "02000000" }],
    ]);
  });

  test("of IPv4 may have a gateway of IPv6", () => {
    const [[, , , attributes] = []] = shown(
      { op: "route.add", ...route, gateway: "fe80::1" },
      12,
    ) as [unknown[]];
    expect(attributes).toMatchObject({ 18: `0a00fe80${"00".repeat(13)}01` });
  });
});

test("what is about a link nobody knows is refused", () => {
  expect(() => buildChange({ op: "link.delete", name: "no" }, indexOf)).toThrow(
    expect.objectContaining({ code: "E_NO_LINK" }),
  );
});
