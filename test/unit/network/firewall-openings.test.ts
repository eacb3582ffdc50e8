import { describe, expect, test } from "vitest";
import { Firewall } from "../../../src/network/firewall.ts";
import { FirewallControl } from "../../../src/network/firewall-control.ts";
import type { Nft } from "../../../src/network/firewall-nft.ts";
import {
  bridgeOpening,
  formatOpening,
  OpeningsFile,
  portOpening,
} from "../../../src/network/firewall-openings.ts";
import { buildRuleset } from "../../../src/network/firewall-rules.ts";
import { formatRule, type ListedRule, singleTcpPorts } from "../../../src/network/firewall-text.ts";
import { PortReservations, RESERVATION_MS } from "../../../src/network/port-reservations.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";

const BOOT = "/proc/sys/kernel/random/boot_id";
const anywhere = { interface: "", subnet: "" };

describe("an opening", () => {
  test.each([
    [{ port: 8080, ...anywhere }, "tcp dport 8080 accept"],
    [{ port: 0, ...anywhere }, "tcp dport 0 accept"],
    [{ port: 22, interface: "eth*", subnet: "" }, 'iifname "eth*" tcp dport 22 accept'],
    [
      { port: 22, interface: "eth0.7", subnet: "10.1.2.3/8" },
      'iifname "eth0.7" ip saddr 10.0.0.0/8 tcp dport 22 accept',
    ],
    [{ port: 1, interface: "", subnet: "192.0.2.7/32" }, "ip saddr 192.0.2.7 tcp dport 1 accept"],
    [{ port: 1, interface: "", subnet: "FD00::9/8" }, "ip6 saddr fd00::/8 tcp dport 1 accept"],
  ])("%j becomes a rule", (wanted, rule) => {
    expect(formatOpening(portOpening(wanted))).toBe(rule);
  });

  test.each([
    { port: -1, ...anywhere },
    { port: 65_536, ...anywhere },
    { port: 1.5, ...anywhere },
    { port: "22 accept" as unknown as number, ...anywhere },
    ...[
      'eth0" accept #',
      "eth0\n",
      "e th",
      "*",
      "1.2*",
      "eth*x",
      "a".repeat(16),
      "e;t",
      "10",
      "@s",
    ].map((link) => ({ port: 1, interface: link, subnet: "" })),
    ...["10.0.0.1", "10.0.0.0/33", "10.0.0.0/8 accept", "@host", "fe80::1%e/64", "a/8", "/8"].map(
      (subnet) => ({ port: 1, interface: "", subnet }),
    ),
  ])("%j is refused", (wanted) => {
    expect(() => portOpening(wanted)).toThrow(expect.objectContaining({ code: "E_OPENING" }));
  });

  test.each(['br" accept', "br*", "", "a/b", "1.1", "x".repeat(16)])(
    "a bridge named %j is refused",
    (name) => {
      expect(() => bridgeOpening(name)).toThrow(expect.objectContaining({ code: "E_OPENING" }));
    },
  );
});

describe("openings", () => {
  const opening = portOpening({ port: 8080, ...anywhere });

  test("are found again by the next agent and not after a boot", () => {
    const files = new MemoryFiles({ [BOOT]: "first\n" });
    new OpeningsFile(files, "/s").write([opening, bridgeOpening("br0")]);
    expect(new OpeningsFile(files, "/s").read()).toEqual([opening, bridgeOpening("br0")]);
    files.writeText(BOOT, "second\n");
    expect(new OpeningsFile(files, "/s").read()).toEqual([]);
  });

  test.each([
    "",
    "[]",
    "null",
    '{"boot":"b"}',
    '{"boot":"b","openings":[{"kind":"port","port":1,"interface":"\\" accept","subnet":""}]}',
    '{"boot":"b","openings":[null]}',
  ])("file %j holds none", (text) => {
    const files = new MemoryFiles({ [BOOT]: "b\n", "/s/firewall-openings.json": text });
    expect(new OpeningsFile(files, "/s").read()).toEqual([]);
  });

  test("are part of every table that is set", () => {
    const policy = {
      overlayInterfaces: [],
      ports: [],
      zerotierPort: null,
      allowFrom: [],
      open: [],
    };
    const lines = buildRuleset(policy, [], [opening]).split("\n");
    const chain = lines.findIndex((line) => line.includes("chain opened {"));
    expect(lines[chain + 1]).toMatch(/^ {4}tcp dport 8080 accept comment "node0 [0-9a-f]{16}"$/);
    expect(lines.indexOf("    jump opened")).toBe(
      lines.findIndex((l) => l.includes("counter drop")) - 1,
    );
  });

  test("what the kernel refused is not kept", async () => {
    const files = new MemoryFiles({ [BOOT]: "b\n" });
    const table = JSON.stringify({
      nftables: [{ rule: { chain: "input", expr: [{ drop: null }] } }],
    });
    const nft: Nft = async (args) => {
      const isRead = args[0] === "-j";
      const stderr = "Error: no memory\n";
      return { status: isRead ? 0 : 1, isMissing: false, stdout: isRead ? table : "", stderr };
    };
    const control = new FirewallControl(files, "/s", (openings) => new Firewall({ nft, openings }));
    await expect(control.open(opening)).rejects.toMatchObject({
      code: "E_NFT",
      fields: { status: 1 },
    });
    expect(control.openings()).toEqual([]);
  });
});

describe("the text of a rule", () => {
  const rule = (...expr: Record<string, unknown>[]): ListedRule => ({ chain: "input", expr });
  const port = { payload: { protocol: "tcp", field: "dport" } };
  const match = (left: unknown, right: unknown) => ({ match: { op: "==", left, right } });

  test.each([
    [rule(match(port, 22), { accept: null }), "tcp dport 22 accept"],
    [
      rule(match({ meta: { key: "iifname" } }, "eth*"), match(port, { set: [22, 80] })),
      'iifname "eth*" tcp dport { 22, 80 }',
    ],
    [
      rule(match({ meta: { key: "iifname" } }, { set: ["a", "b"] }), { drop: null }),
      'iifname { "a", "b" } drop',
    ],
    [
      rule(match({ ct: { key: "state" } }, ["established", "related"]), { accept: null }),
      "ct state established,related accept",
    ],
    [
      rule(
        match({ payload: { protocol: "ip", field: "daddr" } }, "@host"),
        match(
          { payload: { protocol: "ip", field: "saddr" } },
          { prefix: { addr: "10.0.0.0", len: 8 } },
        ),
        match(port, { range: [80, 90] }),
        { mangle: { key: { meta: { key: "mark" } }, value: 42 } },
        { dnat: { addr: "10.0.0.9", port: 80 } },
      ),
      "ip daddr @host ip saddr 10.0.0.0/8 tcp dport 80-90 mark set 0x0000002a dnat to 10.0.0.9:80",
    ],
  ])("%j", (listed, text) => {
    expect(formatRule(listed)).toBe(text);
  });

  test.each([
    rule({ xt: null }),
    rule({}),
    rule(match({ fib: {} }, 1)),
    rule(match(port, { map: 1 })),
  ])("%j has none", (listed) => {
    expect(() => formatRule(listed)).toThrow(expect.objectContaining({ code: "E_RULE_TEXT" }));
  });

  test("a port counts as named when it is named alone", () => {
    expect(singleTcpPorts(rule(match(port, 22)))).toEqual([22]);
    expect(singleTcpPorts(rule(match(port, { set: [22, 80] })))).toEqual([]);
    const udp = { payload: { protocol: "udp", field: "dport" } };
    expect(singleTcpPorts(rule(match(udp, 22), { accept: null }))).toEqual([]);
  });
});

test("a port is reserved for two minutes or until it is released, and all of them or none", () => {
  const clock = new FakeClock();
  const ports = new PortReservations(clock);
  expect(ports.reserve(2, new Set([1024, 1026]))).toEqual([1025, 1027]);
  expect(ports.reserve(1, new Set())).toEqual([1024]);
  expect(ports.reserve(100_000, new Set())).toBe(undefined);
  ports.release(1025);
  expect(ports.reserve(1, new Set())).toEqual([1025]);
  clock.advance(RESERVATION_MS - 1);
  expect(ports.reserve(1, new Set())).toEqual([1026]);
  clock.advance(1);
  expect(ports.reserve(1, new Set())).toEqual([1024]);
});
