import { resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NetworkCell } from "./support/network-cell.ts";
import { missingForLab } from "./support/network-lab.ts";

const missing = missingForLab("nft", "redis-cli", "ss");
if (missing !== undefined) console.log(`bridges is skipped: ${missing}`);

/** A node on `v0`, the world behind it, and a client that is not attached to anything yet. */
const WORLD = `
  mount -t tmpfs none /run; mkdir -m 700 /run/node0
  mkdir /run/etc; printf 'nameserver 127.0.0.5\\n' >/run/etc/resolv.conf
  mount --bind /run/etc/resolv.conf /etc/resolv.conf
  ip netns add world; ip netns add client
  ip link add v0 type veth peer name w0 netns world
  ip address add 192.0.2.1/24 dev v0; ip link set v0 up
  ip -n world address add 192.0.2.9/24 dev w0; ip -n world link set w0 up
  ip link add c0 type veth peer name eth0 netns client; ip link set c0 up
  ip -n client link set lo up; ip -n client link set eth0 up
`;

/** Takes what udhcpc is given, as a host would. */
const HOOK = `
  cat >/run/hook <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip address flush dev "$interface"
ip address add "$ip/$mask" dev "$interface"
ip route replace default via "$router"
echo "$ip $mask $router $dns" >/run/lease
END
  chmod 755 /run/hook
`;

const LEASE = `ip netns exec client busybox udhcpc -i eth0 -s /run/hook -n -q -f -t 8 -T 1 -x hostname:alpha >/dev/null 2>&1; cat /run/lease`;

const DNSMASQ = {
  name: "br0",
  network: {
    mode: "dnsmasq",
    nat: true,
    settings: { cidr: "10.20.0.1/24", start: "10.20.0.50", end: "10.20.0.60" },
  },
};

describe.skipIf(missing !== undefined)("bridges", () => {
  let cell: NetworkCell;
  beforeEach(async () => {
    cell = await NetworkCell.open();
    await cell.shell(WORLD);
  });
  afterEach(() => cell.close());

  const run = (name: string, args: unknown = {}) => cell.command(name, args);
  const sh = (script: string) => cell.shell(script);
  /** Everything a bridge can leave behind. */
  const traces = async () => ({
    links: (await cell.json("ip -json link show type bridge")).map((one) => one["ifname"]),
    rules: await sh("nft list ruleset"),
    programs: (await sh("pgrep -x dnsmasq || true")).trim(),
    files: (await sh("find /run/node0/bridges -type f 2>/dev/null || true")).trim(),
    openings: await sh("cat /run/node0/firewall-openings.json 2>/dev/null || true"),
  });

  test("a client gets an address, resolves names and reaches the world; deletion leaves nothing", async () => {
    await sh(`${HOOK}
      setsid dnsmasq -k -C /dev/null --no-resolv --pid-file= --bind-interfaces \
        --listen-address=127.0.0.5 --address=/upstream.test/192.0.2.77 >/dev/null 2>&1 &`);
    await run("bridge.create", DNSMASQ);
    await run("bridge.nic-add", { name: "br0", nic: "c0" });
    const [bridge] = await cell.json("ip -json address show br0");
    expect(bridge).toMatchObject({
      flags: expect.arrayContaining(["UP"]) as unknown,
      addr_info: expect.arrayContaining([
        expect.objectContaining({ local: "10.20.0.1", prefixlen: 24 }),
      ]) as unknown,
    });
    const [ip = "", mask, router, dns] = (await sh(LEASE)).trim().split(" ");
    expect(Number(/^10\.20\.0\.(\d+)$/.exec(ip)?.[1])).toBeGreaterThanOrEqual(50);
    expect([mask, router, dns]).toEqual(["24", "10.20.0.1", "10.20.0.1"]);
    const ask = (name: string) =>
      sh(`ip netns exec client busybox nslookup -type=a ${name} 10.20.0.1 2>&1 || true`);
    expect(await ask("alpha")).toContain(ip);
    expect(await ask("upstream.test")).toContain("192.0.2.77");
    // The world has no route back: without translation nothing would come.
    expect(await sh("ip netns exec client busybox ping -c 1 -W 5 192.0.2.9")).toContain(
      "1 packets received",
    );
    expect(await sh("cat /proc/$(pgrep -n -x dnsmasq)/status")).toMatch(/^Uid:\s+(?!0\b)\d+/m);
    await run("bridge.delete", { name: "br0" });
    expect(await sh("pgrep -c -x dnsmasq")).toBe("1\n");
    expect(await traces()).toMatchObject({ links: [], rules: "", files: "" });
    expect((await traces()).openings).toContain('"openings":[]');
  });

  test("a client whose address is kept gets it; another agent goes on with all of it", async () => {
    await sh(HOOK);
    await run("bridge.create", DNSMASQ);
    await run("bridge.nic-add", { name: "br0", nic: "c0" });
    const [shown] = await cell.json("ip -n client -json link show eth0");
    const mac = String(shown?.["address"]).toUpperCase();
    await run("bridge.host-add", { bridge: "br0", ip: "10.20.0.7", mac });
    await run("bridge.add_host", { bridge: "br0", ip: "10.20.0.8", mac: "02-00-00-00-00-08" });
    const taken = { bridge: "br0", ip: "10.20.0.8", mac: "02:00:00:00:00:09" };
    await expect(run("bridge.host-add", taken)).rejects.toMatchObject({ code: 500 });
    const before = await sh("nft list ruleset");
    await cell.restart();
    await expect
      .poll(() => sh("ss -Htln 'sport = :53'"), { timeout: 15_000 })
      .toContain("10.20.0.1:53");
    expect(await sh("nft list ruleset")).toBe(before);
    expect(await sh(LEASE)).toBe("10.20.0.7 24 10.20.0.1 10.20.0.1\n");
    expect(await run("bridge.list")).toEqual(["br0"]);
    await run("bridge.delete", { name: "br0" });
    expect(await traces()).toMatchObject({ links: [], rules: "", programs: "", files: "" });
  });

  test("an agent that was killed comes back, and with it the name server", async () => {
    const agent = `setsid ${resolve("bin/node0")} agent --host --state-dir /run/node0 >/dev/null 2>>/run/log & echo $!`;
    const ready = (times: number) =>
      expect
        .poll(() => sh("grep -c '\"agent ready\"' /run/log || true"), { timeout: 20_000 })
        .toBe(`${times}\n`);
    const pid = (await sh(agent)).trim();
    await ready(1);
    const call = `redis-cli -s /run/node0/redis.sock bridge.create '${JSON.stringify(DNSMASQ)}'`;
    expect(await sh(call)).toContain('"state":"SUCCESS"');
    const server = await sh("pgrep -x dnsmasq");
    await sh(`kill -KILL ${pid}`);
    await sh(agent);
    await ready(2);
    await expect
      .poll(() => sh("pgrep -n -x dnsmasq || true"), { timeout: 20_000 })
      .not.toBe(server);
    // Nobody collects its end here.
    expect(await sh(`grep State /proc/${server.trim()}/status || echo gone`)).toMatch(/Z|gone/);
    await expect
      .poll(() => sh("ss -Htln 'sport = :53'"), { timeout: 20_000 })
      .toContain("10.20.0.1:53");
  });

  test("each mode has its name server or none; bridges of others are deleted too", async () => {
    await run("bridge.create", { name: "plain", hwaddr: "02:00:00:00:00:AA" });
    await run("bridge.create", { name: "nothing", network: null });
    const [plain] = await cell.json("ip -json address show plain");
    expect(plain).toMatchObject({ address: "02:00:00:00:00:aa" });
    expect(await sh("ip -4 address show plain")).toBe("");
    expect((await traces()).programs).toBe("");
    const settings = { cidr: "10.30.0.1/16" };
    await run("bridge.create", { name: "static0", network: { mode: "static", settings } });
    expect(await sh("ss -Hulnp 'sport = :53' | grep -c 10.30.0.1:53")).toBe("1\n");
    expect(await sh("ss -Hulnp 'sport = :67'")).toBe("");
    const host = { bridge: "static0", ip: "10.30.0.9", mac: "02:00:00:00:00:09" };
    await expect(run("bridge.host-add", host)).rejects.toMatchObject({ code: 500 });
    await expect(run("bridge.host-add", { ...host, bridge: "plain" })).rejects.toThrow(
      "no name server runs",
    );
    await run("bridge.create", {
      name: "lost0",
      network: { mode: "static", nat: true, settings: { cidr: "10.31.0.1/16" } },
    });
    await sh("ip link delete lost0");
    await run("bridge.delete", { name: "lost0" });
    expect((await traces()).files).not.toContain("lost0");
    expect((await traces()).rules).toBe("");
    await sh("ip link add other type bridge");
    expect(await run("bridge.list")).toEqual(["plain", "nothing", "static0", "other"]);
    for (const name of ["plain", "nothing", "static0", "other"]) {
      await run("bridge.delete", { name });
    }
    await expect(run("bridge.delete", { name: "other" })).rejects.toMatchObject({ code: 500 });
    await expect(run("bridge.delete", { name: "v0" })).rejects.toMatchObject({ code: 500 });
    expect(await traces()).toMatchObject({ links: [], rules: "", programs: "", files: "" });
  });

  test("what fails after the bridge was made takes all of it away again", async () => {
    const before = await traces();
    // Somebody else has the port of the name server.
    await sh("setsid busybox nc -ll -p 53 -e true </dev/null >/dev/null 2>&1 & sleep 0.3");
    await expect(run("bridge.create", DNSMASQ)).rejects.toMatchObject({
      code: 500,
      message: expect.stringMatching(/name server of br0.*in use/i) as unknown,
    });
    await sh("pkill -x busybox");
    const after = await traces();
    expect(after).toMatchObject({ links: [], rules: before.rules, programs: "", files: "" });
    expect(after.openings).not.toContain("br0");
    // Free again: the same request works.
    await run("bridge.create", DNSMASQ);
    await run("bridge.delete", { name: "br0" });
  });

  test("what cannot be used is refused and nothing is left", async () => {
    for (const [what, over] of REFUSED) {
      const outcome = await run("bridge.create", { name: "br1", ...over }).catch((error) => error);
      expect(outcome, what).toMatchObject({ code: 500 });
    }
    expect(await traces()).toMatchObject({ links: [], rules: "", programs: "", files: "" });
  });

  test("links are attached, listed and detached, with the codes of the protocol", async () => {
    await run("bridge.create", { name: "br0" });
    await run("bridge.nic-add", { name: "br0", nic: "v0" });
    await run("bridge.nic-add", { name: "br0", nic: "c0" });
    expect((await cell.json("ip -json link show v0"))[0]).toMatchObject({ master: "br0" });
    expect(await run("bridge.nic-list", { name: "br0" })).toEqual(["v0", "c0"]);
    await run("bridge.create", { name: "br9" });
    await run("bridge.nic-add", { name: "br9", nic: "c0" });
    expect(await run("bridge.nic-list", { name: "br0" })).toEqual(["v0"]);
    await run("bridge.nic-remove", { nic: "v0" });
    await run("bridge.nic-remove", { nic: "v0" });
    expect((await cell.json("ip -json link show v0"))[0]).not.toHaveProperty("master");
    const codeOf = (name: string, args: unknown): Promise<unknown> =>
      run(name, args).then(
        () => "none",
        (error: unknown) => (error as { code: unknown }).code,
      );
    expect(await codeOf("bridge.nic-add", { name: "no", nic: "v0" })).toBe(404);
    expect(await codeOf("bridge.nic-add", { name: "br0", nic: "no" })).toBe(404);
    expect(await codeOf("bridge.nic-add", { name: "v0", nic: "c0" })).toBe(400);
    expect(await codeOf("bridge.nic-add", { name: 1, nic: "c0" })).toBe(400);
    expect(await codeOf("bridge.nic-remove", { nic: "no" })).toBe(404);
    expect(await codeOf("bridge.nic-remove", {})).toBe(400);
    expect(await codeOf("bridge.nic-list", { name: "v0" })).toBe(400);
    expect(await codeOf("bridge.nic-list", { name: "no" })).toBe(404);
    expect(await codeOf("bridge.nic-list", { name: [] })).toBe(400);
  });

  test("ports are opened in the filter that is there, and in one that comes later", async () => {
    const policy = { overlayInterfaces: ["o0"], ports: [22], zerotierPort: null, allowFrom: [] };
    const closed = { ...policy, open: [] };
    const listen = "setsid busybox nc -ll -p 8080 -e true </dev/null >/dev/null 2>&1 & sleep 0.2";
    await sh(listen);
    const reached = async () =>
      (
        await sh(
          "ip netns exec world busybox nc -w 1 192.0.2.1 8080 </dev/null && echo yes || true",
        )
      ).trim();
    expect(await run("nft.list")).toBe(null);
    await run("nft.open_port", { port: 8080, interface: "v*", subnet: "192.0.2.9/24" });
    const text = 'iifname "v*" ip saddr 192.0.2.0/24 tcp dport 8080 accept';
    expect(await run("nft.list")).toEqual([text]);
    await cell.filter(closed);
    expect(await run("nft.list")).toContain(text);
    expect(await sh("nft list chain inet node0 opened")).toContain(text);
    expect(await reached()).toBe("yes");
    await expect(run("nft.open_port", { port: 8080 })).rejects.toMatchObject({ code: 500 });
    await cell.restart();
    expect(await cell.filter(closed)).toEqual({ isChanged: false });
    await cell.filter({ ...closed, ports: [22, 6379] });
    expect(await reached()).toBe("yes");
    expect(await run("nft.rule_exists", { port: 8080, interface: "no" })).toBe(true);
    await run("nft.drop_port", { port: 8080 });
    await run("nft.drop_port", { port: 8080 });
    expect(await reached()).toBe("");
    expect(await run("nft.rule_exists", { port: 8080 })).toBe(false);
    await run("nft.open_port", { port: 8080, interface: "v9" });
    expect(await reached()).toBe("");
    await sh("nft add rule inet node0 opened tcp dport 8080 accept");
    expect(await cell.filter({ ...closed, ports: [22, 6379] })).toEqual({ isChanged: true });
    expect(await reached()).toBe("");
    for (const port of [-1, 65_536, "22"]) {
      await expect(run("nft.open_port", { port })).rejects.toMatchObject({ code: 500 });
      await expect(run("nft.rule_exists", { port })).rejects.toMatchObject({ code: 500 });
    }
    const bad = { port: 1, interface: 'v0" accept comment "x' };
    await expect(run("nft.open_port", bad)).rejects.toMatchObject({ code: 500 });
    expect(await run("nft.list")).toContain("ct state established,related accept");
  });

  test("ports are reserved past listeners and forwards, which are listed", async () => {
    await sh("setsid busybox nc -l -p 1025 </dev/null >/dev/null 2>&1 & sleep 0.2");
    expect(await run("socat.list")).toBe(null);
    expect(await run("socat.reserve", { number: 2 })).toEqual([1024, 1026]);
    await run("bridge.create", DNSMASQ);
    await sh(
      "nft add rule ip node0-nat pre ip daddr @host tcp dport 1027 meta mark set 7 dnat to 10.20.0.9:80",
    );
    expect(await run("socat.list")).toEqual([
      "ip daddr @host tcp dport 1027 mark set 0x00000007 dnat to 10.20.0.9:80",
    ]);
    expect(await run("socat.reserve", { number: 1 })).toEqual([1028]);
    expect(await run("socat.reserve", { number: -3 })).toBe(null);
    for (const number of [0, "1", null]) {
      await expect(run("socat.reserve", { number })).rejects.toMatchObject({ code: 400 });
    }
    await expect(run("socat.reserve", { number: 65_000 })).rejects.toMatchObject({ code: 500 });
    // A forward outlives the bridge whose network was hidden.
    await run("bridge.delete", { name: "br0" });
    expect(await sh("nft list chain ip node0-nat pre")).toContain("dport 1027");
    expect(await sh("nft list chain ip node0-nat post")).not.toContain("masquerade");
  });
});

function pool(start: string, end: string) {
  return { network: { mode: "dnsmasq", settings: { cidr: "10.1.0.1/24", start, end } } };
}

const REFUSED: readonly (readonly [string, object])[] = [
  ["no name", { name: "" }],
  ["the name default", { name: "default" }],
  ["a name too long", { name: "a".repeat(16) }],
  ["a name with a quote", { name: 'b" accept' }],
  ["a name with a star", { name: "br*" }],
  ["a name that leads elsewhere", { name: "../x" }],
  ["a name that is an option", { name: "-k" }],
  ["a line break in a name", { name: "b\nuser=root" }],
  ["a name that is taken", { name: "v0" }],
  ["a bad MAC", { hwaddr: "02:00" }],
  ["a MAC of a group", { hwaddr: "01:00:00:00:00:01" }],
  ["an unknown mode", { network: { mode: "none" } }],
  ["no network", { network: { mode: "static" } }],
  [
    "the address of the network",
    { network: { mode: "static", settings: { cidr: "10.1.0.0/24" } } },
  ],
  ["the last address", { network: { mode: "static", settings: { cidr: "10.1.0.255/24" } } }],
  ["no prefix", { network: { mode: "static", settings: { cidr: "10.1.0.1" } } }],
  ["IPv6", { network: { mode: "static", settings: { cidr: "fd00::1/64" } } }],
  ["a network of the node", { network: { mode: "static", settings: { cidr: "192.0.2.200/25" } } }],
  ["a network around one", { network: { mode: "static", settings: { cidr: "192.0.0.1/16" } } }],
  ["a pool elsewhere", pool("10.1.1.1", "10.1.0.9")],
  ["a pool that ends before it starts", pool("10.1.0.9", "10.1.0.5")],
  ["no pool", pool("", "")],
  ["a pool with more in it", pool("10.1.0.5,static\ndhcp-script=/bin/sh", "10.1.0.9")],
  ["a number for an address", { network: { mode: "dnsmasq", settings: { cidr: 7 } } }],
];
