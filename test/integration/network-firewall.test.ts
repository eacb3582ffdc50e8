import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FirewallStatus } from "../../src/network/firewall.ts";
import type { FirewallPolicy } from "../../src/network/firewall-rules.ts";
import type { FirewallTask, Target } from "../fixtures/firewall-lab.ts";
import { missingForLab, NetworkLab } from "./support/network-lab.ts";

/** `v0` is the plain cable of the lab, `o0` plays the overlay. */
const PLAIN = { node: "10.9.0.2", node6: "fd09::2" };
const OVERLAY = { node: "10.77.0.2", node6: "fd77::2" };
const SOCKET = "/run/redis.sock";

const POLICY: FirewallPolicy = {
  overlayInterfaces: ["o0"],
  ports: [22, 6379],
  zerotierPort: 9993,
  allowFrom: [],
  open: [],
};

const hasNft = spawnSync("nft", ["--version"]).error === undefined;
const missing = missingForLab() ?? (hasNft ? undefined : "not installed: nft");
if (missing !== undefined) console.log(`network-firewall is skipped: ${missing}`);

describe.skipIf(missing !== undefined)("a node that is locked down", () => {
  let lab: NetworkLab;

  beforeEach(async () => {
    lab = await NetworkLab.open();
    const words = (text: string): string[] => text.split(" ");
    lab.node(...words("ip link add o0 type veth peer name p0 netns server"));
    lab.node(...words("ip link set lo up"));
    for (const [link, { node, node6 }] of [["v0", PLAIN] as const, ["o0", OVERLAY] as const]) {
      lab.node(...words(`ip address add ${node}/24 dev ${link}`));
      lab.node(...words(`ip address add ${node6}/64 dev ${link} nodad`));
      lab.node(...words(`ip link set ${link} up`));
    }
    lab.server(...words("ip address add 10.77.0.1/24 dev p0"));
    lab.server(...words("ip address add fd09::1/64 dev s0 nodad"));
    lab.server(...words("ip address add fd77::1/64 dev p0 nodad"));
    lab.server(...words("ip link set p0 up"));
    lab.plug();
    const targets = [
      ...[22, 6379, 8080].map((port): Target => ({ protocol: "tcp", host: "::", port })),
      { protocol: "udp", host: "0.0.0.0", port: 9993 },
      { protocol: "udp", host: "0.0.0.0", port: 5000 },
      { protocol: "unix", host: SOCKET, port: 0 },
    ] as const;
    // It prints a line when it listens, and runs until the lab is closed.
    const task: FirewallTask = { do: "listen", targets };
    lab.node("sh", "-c", 'setsid "$@" >/run/ready 2>&1 &', "sh", ...program(task));
    await expect.poll(() => lab.read("/run/ready"), { timeout: 20_000 }).toContain("ready");
  });
  afterEach(() => lab.close());

  const program = (task: FirewallTask): string[] => [
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    resolve("test/fixtures/firewall-lab.ts"),
    JSON.stringify(task),
  ];
  const apply = (over: Partial<FirewallPolicy> = {}): { isChanged: boolean } =>
    JSON.parse(lab.node(...program({ do: "apply", policy: { ...POLICY, ...over } })));
  const status = (): FirewallStatus => JSON.parse(lab.node(...program({ do: "status" })));
  const remove = (): void => void lab.node(...program({ do: "remove" }));
  const tcp = (host: string, port: number): Target => ({ protocol: "tcp", host, port });
  const udp = (host: string, port: number): Target => ({ protocol: "udp", host, port });

  /** Which of these the peer gets an answer from. */
  function reached(...targets: Target[]): boolean[] {
    return JSON.parse(lab.server(...program({ do: "probe", targets }))) as boolean[];
  }

  function ping(address: string): string {
    return lab.server("busybox", "ping", "-c", "1", "-W", "5", address);
  }

  test("is reached on the protected ports over the overlay and not over the plain cable", () => {
    apply();
    const ports = [22, 6379, 8080];
    expect(reached(...ports.map((port) => tcp(OVERLAY.node, port)))).toEqual([true, true, false]);
    expect(reached(...ports.map((port) => tcp(OVERLAY.node6, port)))).toEqual([true, true, false]);
    expect(reached(...ports.map((port) => tcp(PLAIN.node, port)))).toEqual([false, false, false]);
    expect(reached(...ports.map((port) => tcp(PLAIN.node6, port)))).toEqual([false, false, false]);
    expect(status().droppedPackets).toBeGreaterThan(0);
  });

  test("answers pings of both families, also over the plain cable", () => {
    apply();
    for (const address of [PLAIN.node, PLAIN.node6, OVERLAY.node]) {
      expect(ping(address)).toContain("1 packets received");
    }
  });

  test("lets the packets of the overlay daemon in, and no others of that kind", () => {
    apply();
    expect(reached(udp(PLAIN.node, 9993), udp(PLAIN.node, 5000))).toEqual([true, false]);
    apply({ zerotierPort: null });
    expect(reached(udp(PLAIN.node, 9993))).toEqual([false]);
  });

  test("is reached by its own programs over loopback and unix socket without any overlay", () => {
    apply({ overlayInterfaces: [] });
    const targets: Target[] = [
      tcp("127.0.0.1", 6379),
      tcp("::1", 22),
      tcp(PLAIN.node, 8080),
      { protocol: "unix", host: SOCKET, port: 0 },
    ];
    const outcome: unknown = JSON.parse(lab.node(...program({ do: "probe", targets })));
    expect(outcome).toEqual([true, true, true, true]);
  });

  test("reaches others as before", () => {
    lab.server(
      "sh",
      "-c",
      'setsid "$@" >/run/peer 2>&1 &',
      "sh",
      ...program({ do: "listen", targets: [tcp("::", 7000)] }),
    );
    apply();
    return expect
      .poll(
        () =>
          JSON.parse(
            lab.node(
              ...program({ do: "probe", targets: [tcp("10.9.0.1", 7000), tcp("fd09::1", 7000)] }),
            ),
          ) as unknown,
        { timeout: 20_000 },
      )
      .toEqual([true, true]);
  });

  test("keeps connections that were opened before, in which the peer speaks first", async () => {
    const text = (name: string): string => lab.read(`/run/${name}.out`);
    const say = (name: string, word: string): void => {
      lab.node("sh", "-c", 'echo "$1" >"/run/$2.in"', "sh", word, name);
    };
    for (const [name, host] of [["four", PLAIN.node] as const, ["six", PLAIN.node6] as const]) {
      lab.node("mkfifo", `/run/${name}.in`);
      const script = 'setsid busybox nc "$1" 8080 <>"/run/$2.in" >"/run/$2.out" 2>&1 &';
      lab.server("sh", "-c", script, "sh", host, name);
      say(name, "before");
      await expect.poll(() => text(name), { timeout: 10_000 }).toBe("before\n");
    }
    apply();
    for (const name of ["four", "six"]) {
      say(name, "after");
      await expect.poll(() => text(name), { timeout: 10_000 }).toBe("before\nafter\n");
    }
    apply({ ports: [22] });
    for (const name of ["four", "six"]) {
      say(name, "again");
      await expect.poll(() => text(name), { timeout: 10_000 }).toBe("before\nafter\nagain\n");
    }
    expect(reached(tcp(PLAIN.node, 8080))).toEqual([false]);
  });

  test("gets a lease and renews it", async () => {
    lab.node("ip", "address", "flush", "dev", "v0");
    lab.startServer();
    apply();
    const hook =
      '#!/bin/sh\necho "$1" >>/run/events\n[ "$1" != bound ] || ip address add "$ip/24" dev "$interface"\n';
    lab.node("sh", "-c", 'printf %s "$1" >/run/hook; chmod 755 /run/hook', "sh", hook);
    const client =
      "setsid busybox udhcpc -f -i v0 -p /run/udhcpc.pid -s /run/hook >/dev/null 2>&1 &";
    lab.node("sh", "-c", client);
    const events = (): string[] => lab.read("/run/events").trim().split("\n");
    await expect.poll(events, { timeout: 20_000 }).toContain("bound");
    lab.node("sh", "-c", "kill -USR1 $(cat /run/udhcpc.pid)");
    await expect.poll(events, { timeout: 20_000 }).toContain("renew");
  });

  test("stays as it is when the same policy is applied again", () => {
    expect(apply()).toEqual({ isChanged: true });
    const before = lab.node("nft", "-a", "list", "table", "inet", "node0");
    expect(apply()).toEqual({ isChanged: false });
    expect(lab.node("nft", "-a", "list", "table", "inet", "node0")).toBe(before);
    expect(apply({ zerotierPort: null })).toEqual({ isChanged: true });
  });

  test.each([
    ["a rule was added", "nft insert rule inet node0 input tcp dport 8080 accept"],
    ["the rules were flushed", "nft flush chain inet node0 input"],
    ["the chain was opened", "nft chain inet node0 input { policy accept ; }"],
    ["the table was deleted", "nft delete table inet node0"],
  ])("is put right when %s by somebody else", (_what, command) => {
    apply();
    const { digest } = status();
    lab.node(...command.split(" "));
    expect(apply()).toEqual({ isChanged: true });
    expect(status().digest).toBe(digest);
    expect(reached(tcp(PLAIN.node, 8080))).toEqual([false]);
  });

  test("leaves the tables of others alone", () => {
    lab.node(..."nft add table inet other".split(" "));
    const chain = "nft add chain inet other input { type filter hook input priority 10 ; }";
    lab.node(...chain.split(" "));
    lab.node(..."nft add rule inet other input tcp dport 1 drop".split(" "));
    const before = lab.node("nft", "-a", "list", "table", "inet", "other");
    apply();
    expect(lab.node("nft", "-a", "list", "table", "inet", "other")).toBe(before);
    remove();
    expect(lab.node("nft", "-a", "list", "table", "inet", "other")).toBe(before);
  });

  test.each([
    ["an interface", "v0", [true, true]],
    ["an IPv4 network", "10.9.0.0/24", [true, false]],
    ["an IPv4 address", "10.9.0.1", [true, false]],
    ["an IPv6 network", "fd09::/64", [false, true]],
    ["another network", "10.10.0.0/16", [false, false]],
    ["every IPv4 address", "0.0.0.0/0", [true, false]],
  ])("is reached from %s that is allowed, on the protected ports", (_what, origin, expected) => {
    apply({ allowFrom: [origin] });
    expect(reached(tcp(PLAIN.node, 6379), tcp(PLAIN.node6, 6379))).toEqual(expected);
    expect(reached(tcp(PLAIN.node, 8080))).toEqual([false]);
  });

  test("is reached by everybody on a port that is open", () => {
    apply({
      open: [
        { protocol: "tcp", port: 8080 },
        { protocol: "udp", port: 5000 },
      ],
    });
    const targets = [tcp(PLAIN.node, 8080), udp(PLAIN.node, 5000), tcp(PLAIN.node, 22)];
    expect(reached(...targets)).toEqual([true, true, false]);
  });

  test("is open again after removal, with no rule left", () => {
    apply();
    remove();
    expect(lab.node("nft", "list", "ruleset")).toBe("");
    expect(reached(tcp(PLAIN.node, 6379), tcp(PLAIN.node, 8080))).toEqual([true, true]);
    expect(status()).toMatchObject({ digest: null, rules: 0 });
    remove();
  });

  test("says in the words of nft what the kernel refuses", () => {
    const powerless = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
    const run = (): string => lab.node(...powerless, ...program({ do: "apply", policy: POLICY }));
    expect(run).toThrow(/Cannot (read|set) the packet filter: .*Operation not permitted/);
  });
});
