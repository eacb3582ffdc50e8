import { describe, expect, test } from "vitest";
import { Firewall, parseTable } from "../../../src/network/firewall.ts";
import { type Connection, parseConnections } from "../../../src/network/firewall-connections.ts";
import type { NftOutcome } from "../../../src/network/firewall-nft.ts";
import {
  buildRuleset,
  expectedTable,
  type FirewallPolicy,
} from "../../../src/network/firewall-rules.ts";

const CLOSED: FirewallPolicy = {
  overlayInterfaces: [],
  ports: [],
  zerotierPort: null,
  allowFrom: [],
  open: [],
};
const POLICY: FirewallPolicy = {
  overlayInterfaces: ["ztabcdefgh"],
  ports: [6379, 22, 22],
  zerotierPort: 9993,
  allowFrom: ["eth1", "10.1.0.0/16", "fd00::/8", "192.0.2.7"],
  open: [{ protocol: "tcp", port: 8080 }],
};

const rulesOf = (policy: FirewallPolicy): string[] =>
  buildRuleset(policy)
    .split("\n")
    .map((line) => line.trim());

describe("the rules", () => {
  test("replace one table, ours, in one transaction", () => {
    const lines = rulesOf(POLICY);
    expect(lines.slice(0, 3)).toEqual([
      "table inet node0",
      "delete table inet node0",
      "table inet node0 {",
    ]);
    expect(lines.filter((line) => /\b(flush|table)\b/.test(line))).toHaveLength(3);
  });

  test("drop what nothing accepts, and touch neither forwarded nor outgoing packets", () => {
    const text = buildRuleset(CLOSED);
    expect(text).toContain("type filter hook input priority filter; policy drop;");
    expect(text).toMatch(/counter drop comment "node0 [0-9a-f]{16}"\n {2}}\n}\n$/);
    expect(text).not.toMatch(/forward|output/);
  });

  test.each([
    ["loopback", 'iifname "lo" accept'],
    ["answers", "ct state established,related accept"],
    ["ICMP of both families", "meta l4proto { 1, 58 } accept"],
    ["answers of DHCP servers", "udp dport { 68, 546 } accept"],
  ])("always accept %s", (_what, rule) => {
    expect(rulesOf(CLOSED)).toContain(rule);
  });

  test("accept the protected ports over the overlay and from what is allowed", () => {
    const lines = rulesOf(POLICY).filter((line) => line.includes("{ 22, 6379 }"));
    expect(lines).toEqual([
      'iifname "ztabcdefgh" tcp dport { 22, 6379 } accept',
      'iifname "eth1" tcp dport { 22, 6379 } accept',
      "ip saddr 10.1.0.0/16 tcp dport { 22, 6379 } accept",
      "ip6 saddr fd00::/8 tcp dport { 22, 6379 } accept",
      "ip saddr 192.0.2.7/32 tcp dport { 22, 6379 } accept",
    ]);
  });

  test("open the port of the overlay daemon and the configured ones to everybody", () => {
    expect(rulesOf(POLICY)).toContain("udp dport 9993 accept");
    expect(rulesOf(POLICY)).toContain("tcp dport 8080 accept");
    expect(buildRuleset(CLOSED)).not.toMatch(/9993|8080/);
  });

  test("let connections that exist go on without letting them be opened again", () => {
    const connections: Connection[] = [
      { family: 4, local: side("192.0.2.1", 22), remote: side("192.0.2.9", 4000) },
      { family: 6, local: side("fd00::1", 22), remote: side("fd00::9", 4000) },
    ];
    const text = buildRuleset(CLOSED, connections);
    expect(text).toContain("elements = { 192.0.2.1 . 22 . 192.0.2.9 . 4000 }");
    expect(text).toContain("elements = { fd00::1 . 22 . fd00::9 . 4000 }");
    expect(text.match(/syn == 0 .* @earlier[46] accept/g)).toHaveLength(2);
  });

  test.each<[string, Partial<FirewallPolicy>]>([
    ["an interface with a quote", { overlayInterfaces: ['a" accept #'] }],
    ["an interface with a star", { overlayInterfaces: ["eth*"] }],
    ["an interface with a line break", { overlayInterfaces: ["a\nb"] }],
    ["an interface too long", { overlayInterfaces: ["a".repeat(16)] }],
    ["an empty interface", { overlayInterfaces: [""] }],
    ["a network with more behind it", { allowFrom: ["10.0.0.0/8 accept"] }],
    ["a network with a second prefix", { allowFrom: ["10.0.0.0/8/8"] }],
    ["a prefix too long", { allowFrom: ["10.0.0.0/33"] }],
    ["an address with a zone", { allowFrom: ["fe80::1%eth0"] }],
    ["what is no address and no name", { allowFrom: ["10.0.0.999"] }],
    ["a semicolon", { allowFrom: ["eth0; accept"] }],
    ["port 0", { ports: [0] }],
    ["a port that is no integer", { ports: [1.5] }],
    ["a port too large", { zerotierPort: 65_536 }],
    [
      "a protocol of its own making",
      { open: [{ protocol: "tcp dport 1 accept #" as "tcp", port: 1 }] },
    ],
    ["a port as a text", { open: [{ protocol: "tcp", port: "1 accept" as unknown as number }] }],
  ])("refuse %s", (_what, over) => {
    expect(() => buildRuleset({ ...POLICY, ...over })).toThrow(
      expect.objectContaining({ code: "E_FIREWALL_POLICY" }),
    );
  });
});

test("connections are read out of the kernel's tables, those over loopback left out", () => {
  const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n";
  const v4 = [
    "   0: 0100007F:18EB 0100007F:B0B0 01 00000000:00000000 00:00000000 00000000 0 0 1",
    "   1: 010000C0:0016 090000C0:0FA0 01 00000000:00000000 00:00000000 00000000 0 0 1",
    "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1",
  ].join("\n");
  const mapped =
    "   0: 0000000000000000FFFF0000010000C0:18EB 0000000000000000FFFF0000090000C0:0FA1 08 x";
  expect(parseConnections(head + v4)).toEqual([
    { family: 4, local: side("192.0.0.1", 22), remote: side("192.0.0.9", 4000) },
  ]);
  expect(parseConnections(head + mapped)).toEqual([
    { family: 4, local: side("192.0.0.1", 6379), remote: side("192.0.0.9", 4001) },
  ]);
});

describe("the packet filter", () => {
  test("is set when the kernel holds no table of ours", async () => {
    const { firewall, calls } = open([{ status: 1, stderr: "Error: No such file or directory\n" }]);
    expect(await firewall.apply(POLICY)).toEqual({ isChanged: true });
    expect(calls).toEqual([
      { args: ["-j", "list", "table", "inet", "node0"], input: "" },
      { args: ["-f", "-"], input: buildRuleset(POLICY) },
    ]);
  });

  test("stays as it is when the kernel follows the policy already", async () => {
    const { firewall, calls } = open([{ stdout: listing(expectedTable(POLICY)) }]);
    expect(await firewall.apply(POLICY)).toEqual({ isChanged: false });
    expect(calls).toHaveLength(1);
  });

  test.each([
    ["another policy is in force", listing(expectedTable(CLOSED))],
    ["a rule is missing", listing({ ...expectedTable(POLICY), rules: 3 })],
    ["the chain accepts by default", listing(expectedTable(POLICY), "accept")],
    ["the last rule is gone", listing({ ...expectedTable(POLICY), digest: "" })],
  ])("is replaced when %s", async (_what, stdout) => {
    const { firewall } = open([{ stdout }]);
    expect(await firewall.apply(POLICY)).toEqual({ isChanged: true });
  });

  test("says that nft is missing", async () => {
    const { firewall } = open([{ status: null, isMissing: true, stderr: "spawn nft ENOENT" }]);
    await expect(firewall.apply(POLICY)).rejects.toMatchObject({
      code: "E_NFT_MISSING",
      message: "Cannot read the packet filter: no program nft seen, expected nftables",
    });
  });

  test("says what the kernel refused, in the words of nft", async () => {
    const { firewall } = open([
      { stdout: '{"nftables": []}' },
      { status: 1, stderr: "Error: Could not process rule: Operation not supported\ntable …\n^^^" },
    ]);
    await expect(firewall.apply(POLICY)).rejects.toThrow(
      "Cannot set the packet filter: Error: Could not process rule: Operation not supported seen",
    );
  });

  test("asks the kernel nothing for a policy that cannot be used", async () => {
    const { firewall, calls } = open([]);
    const apply = firewall.apply({ ...POLICY, ports: [-1] });
    await expect(apply).rejects.toMatchObject({ code: "E_FIREWALL_POLICY" });
    expect(calls).toEqual([]);
  });

  test("removal takes our table and nothing else", async () => {
    const { firewall, calls } = open([{}]);
    await firewall.remove();
    expect(calls).toEqual([
      { args: ["-f", "-"], input: "table inet node0\ndelete table inet node0\n" },
    ]);
  });

  test("tells what was dropped", () => {
    expect(parseTable(listing({ digest: "ab", rules: 2 }))).toEqual({
      digest: "ab",
      rules: 2,
      opened: [],
      droppedPackets: 5,
    });
  });

  test("one caller at a time looks and changes", async () => {
    const { firewall, calls } = open([{ stdout: listing(expectedTable(CLOSED)) }, {}, {}]);
    await Promise.all([firewall.apply(POLICY), firewall.remove()]);
    expect(calls.map(({ input }) => input.split("\n").length > 3)).toEqual([false, true, false]);
  });
});

function side(address: string, port: number) {
  return { address, port };
}

/** What nft prints for a table of ours with so many rules. */
function listing({ digest, rules }: { digest: string; rules: number }, policy = "drop"): string {
  const plain = Array.from({ length: rules - 1 }, () => ({ rule: { expr: [{ accept: null }] } }));
  const last = {
    rule: {
      ...(digest === "" ? {} : { comment: `node0 ${digest}` }),
      expr: [{ counter: { packets: 5, bytes: 300 } }, { drop: null }],
    },
  };
  const nftables = [
    { metainfo: { version: "1.0.6" } },
    { table: { family: "inet", name: "node0" } },
    { chain: { name: "opened" } },
    { chain: { name: "input", policy } },
    ...plain,
    last,
  ];
  return JSON.stringify({ nftables });
}

/** A packet filter whose nft gives these answers in turn, and success after them. */
function open(answers: Partial<NftOutcome>[]) {
  const calls: { args: readonly string[]; input: string }[] = [];
  const success: NftOutcome = { status: 0, isMissing: false, stdout: "", stderr: "" };
  const firewall = new Firewall({
    nft: async (args, input) => {
      calls.push({ args, input });
      return { ...success, ...answers.shift() };
    },
    connections: async () => [],
  });
  return { firewall, calls };
}
