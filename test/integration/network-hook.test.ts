import { resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { parseLease } from "../../src/network/lease.ts";
import { DIRECTORY, missingForLab, NetworkLab } from "./support/network-lab.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`network-hook is skipped: ${missing}`);

const HOOK = resolve("etc/network/udhcpc-hook");
const STATIC = "10.9.0.5/24";
const bound = {
  interface: "v0",
  ip: "10.9.0.77",
  mask: "24",
  subnet: "255.255.255.0",
  router: "10.9.0.1",
  lease: "600",
};

// The machine has the shell of busybox; a host the agent is tried on may have another one.
describe.skipIf(missing !== undefined).each(["dash", "busybox sh"])("the hook in %s", (shell) => {
  let lab: NetworkLab;
  beforeAll(async () => {
    lab = await NetworkLab.open();
    lab.plug();
    lab.node("ip", "link", "set", "v0", "up");
    lab.node("mkdir", "-p", DIRECTORY);
  });
  afterEach(() => {
    lab.node("ip", "address", "flush", "dev", "v0");
    lab.node("sh", "-c", `rm -f ${DIRECTORY}/* /run/pwned`);
  });
  afterAll(() => lab.close());

  /** Calls it as udhcpc would; `:` keeps the shell around it alive as the parent. */
  function runHook(event: string, environment: Readonly<Record<string, string>> = bound): void {
    const values = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const command = `${shell} "$0" "$1"; :`;
    lab.node("env", `NODE0_DHCP_DIR=${DIRECTORY}`, ...values, "sh", "-c", command, HOOK, event);
  }

  const mark = (metric = 1007): string =>
    lab.node("sh", "-c", `echo ${metric} >${DIRECTORY}/v0.use`);
  const text = (): string => lab.read(`${DIRECTORY}/v0.lease`);
  const lease = () => parseLease(text());
  const routes = (): string[] =>
    lab
      .node("ip", "-4", "route", "show", "proto", "210")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");

  test("without a mark only writes the lease down", () => {
    runHook("bound");
    expect(lease()).toMatchObject({ address: "10.9.0.77", gateway: "10.9.0.1" });
    expect(lab.addresses("v0")).toEqual([]);
    runHook("nak");
    expect(text()).toBe("");
  });

  test("with a mark that is no metric only writes the lease down", () => {
    lab.node("sh", "-c", `echo '1 src 10.9.0.9' >${DIRECTORY}/v0.use`);
    runHook("bound");
    expect(lab.addresses("v0")).toEqual([]);
  });

  test("writes everything the server said", () => {
    runHook("bound", {
      ...bound,
      staticroutes: "10.0.0.0/8 10.9.0.3",
      dns: "10.9.0.1 10.9.0.2",
      domain: "example.org",
      search: "a.example.org b.example.org",
      ntpsrv: "10.9.0.4",
      hostname: "node7",
      mtu: "1400",
      serverid: "10.9.0.1",
    });
    expect(lease()).toEqual({
      interface: "v0",
      address: "10.9.0.77",
      prefix: 24,
      gateway: "10.9.0.1",
      routes: [{ destination: "10.0.0.0/8", gateway: "10.9.0.3" }],
      dns: ["10.9.0.1", "10.9.0.2"],
      search: ["a.example.org", "b.example.org", "example.org"],
      ntp: ["10.9.0.4"],
      hostname: "node7",
      mtu: 1400,
      leaseSeconds: 600,
      obtainedMs: expect.any(Number),
      server: "10.9.0.1",
    });
  });

  test("sets address and default route, with the metric and the protocol of the node", () => {
    mark();
    runHook("bound");
    expect(lab.addresses("v0")).toEqual(["10.9.0.77/24"]);
    expect(routes()).toEqual(["default via 10.9.0.1 dev v0 src 10.9.0.77 metric 1007 onlink"]);
    expect(lab.node("ip", "-4", "address", "show", "v0")).toMatch(/brd 10\.9\.0\.255 .*\n.*600sec/);
  });

  test("a router outside the own network is reached over the interface", () => {
    mark();
    runHook("bound", { ...bound, subnet: "255.255.255.255", mask: "32", router: "10.1.1.1" });
    expect(routes()).toEqual(["default via 10.1.1.1 dev v0 src 10.9.0.77 metric 1007 onlink"]);
  });

  test("classless routes take the place of the router, host bits cleared", () => {
    mark();
    const staticroutes =
      "10.1.2.3/8 10.9.0.3 192.168.5.6/32 0.0.0.0 0.0.0.0/0 10.9.0.2 127.0.0.0/8 10.9.0.2 " +
      "224.0.0.0/4 10.9.0.2 11.0.0.0/8 224.0.0.1 12.0.0.0/33 10.9.0.2 13.0.0.0/8";
    runHook("bound", { ...bound, staticroutes, msstaticroutes: "14.0.0.0/8 10.9.0.2" });
    expect(routes()).toEqual([
      "default via 10.9.0.2 dev v0 src 10.9.0.77 metric 1007 onlink",
      "10.0.0.0/8 via 10.9.0.3 dev v0 src 10.9.0.77 metric 1007 onlink",
      "192.168.5.6 dev v0 scope link src 10.9.0.77 metric 1007",
    ]);
  });

  test("option 249 counts where 121 is missing", () => {
    mark();
    runHook("bound", { ...bound, msstaticroutes: "14.0.0.0/8 10.9.0.2" });
    expect(routes()).toEqual(["14.0.0.0/8 via 10.9.0.2 dev v0 src 10.9.0.77 metric 1007 onlink"]);
  });

  test("of many routers the first usable one counts", () => {
    mark();
    runHook("bound", { ...bound, router: "0.0.0.0 255.255.255.255 10.9.0.77 10.9.0.3 10.9.0.4" });
    expect(routes()).toEqual(["default via 10.9.0.3 dev v0 src 10.9.0.77 metric 1007 onlink"]);
    expect(lease()?.gateway).toBe("10.9.0.3");
  });

  test("a network without router gets an address and no default route", () => {
    mark();
    runHook("bound", { ...bound, router: "" });
    expect(lab.addresses("v0")).toEqual(["10.9.0.77/24"]);
    expect(routes()).toEqual([]);
  });

  test("a renewal takes away the routes that are gone, and leaves the others", () => {
    mark();
    runHook("bound", { ...bound, staticroutes: "10.0.0.0/8 10.9.0.3 11.0.0.0/8 10.9.0.3" });
    runHook("renew", { ...bound, staticroutes: "11.0.0.0/8 10.9.0.3 12.0.0.0/8 10.9.0.3" });
    expect(routes().map((route) => route.split(" ")[0])).toEqual(["11.0.0.0/8", "12.0.0.0/8"]);
    runHook("renew");
    expect(routes().map((route) => route.split(" ")[0])).toEqual(["default"]);
  });

  test("another address takes the place of the first one, which had been the first of its network", () => {
    mark();
    runHook("bound");
    lab.node("ip", "address", "add", STATIC, "dev", "v0");
    runHook("renew", { ...bound, ip: "10.9.0.78" });
    expect(lab.addresses("v0")).toEqual([STATIC, "10.9.0.78/24"]);
    expect(routes()).toEqual(["default via 10.9.0.1 dev v0 src 10.9.0.78 metric 1007 onlink"]);
  });

  test("a refused lease takes its address and routes away, and nothing else", () => {
    mark();
    lab.node("ip", "route", "add", "blackhole", "99.0.0.0/8", "proto", "210");
    runHook("bound");
    lab.node("ip", "address", "add", STATIC, "dev", "v0");
    lab.node(..."ip route add 98.0.0.0/8 via 10.9.0.9 dev v0 proto 210".split(" "));
    runHook("nak", { interface: "v0" });
    expect(lab.addresses("v0")).toEqual([STATIC]);
    expect(routes()).toEqual(["98.0.0.0/8 via 10.9.0.9 dev v0", "blackhole 99.0.0.0/8"]);
    expect(text()).toBe("");
    lab.node("ip", "route", "del", "blackhole", "99.0.0.0/8");
  });

  test("routes set by the agent for the same lease are taken away with it", () => {
    runHook("bound");
    mark();
    lab.node("ip", "address", "add", STATIC, "dev", "v0");
    lab.node("ip", "address", "add", "10.9.0.77/24", "dev", "v0");
    lab.node(..."ip route add default via 10.9.0.1 dev v0 metric 1007 proto 210".split(" "));
    runHook("nak", { interface: "v0" });
    expect(lab.addresses("v0")).toEqual([STATIC]);
    expect(routes()).toEqual([]);
  });

  test("a client that starts leaves alone what another one had got", () => {
    mark();
    runHook("bound");
    runHook("deconfig", { interface: "v0" });
    expect(lab.addresses("v0")).toEqual(["10.9.0.77/24"]);
    expect(lease()?.address).toBe("10.9.0.77");
  });

  test("an address that runs out takes its routes with it, next to a static one", async () => {
    mark();
    lab.node("ip", "address", "add", STATIC, "dev", "v0");
    runHook("bound");
    lab.node(..."ip address replace 10.9.0.77/24 dev v0 valid_lft 1 preferred_lft 1".split(" "));
    await expect.poll(() => lab.addresses("v0"), { timeout: 5000 }).toEqual([STATIC]);
    expect(routes()).toEqual([]);
  });

  test.each([
    ["4294967295", "valid_lft forever", null],
    ["4294967294", "valid_lft 42949", 4_294_967_294],
    ["0", "valid_lft 30sec", 30],
    ["", "valid_lft 3600sec", 3600],
    ["12; reboot", "valid_lft 3600sec", 3600],
  ])("a lifetime of %j means what it means to udhcpc", (seconds, shown, leaseSeconds) => {
    mark();
    runHook("bound", { ...bound, lease: seconds });
    expect(lab.node("ip", "-4", "address", "show", "v0")).toContain(shown);
    expect(lease()?.leaseSeconds).toBe(leaseSeconds);
  });

  test.each([
    ["10.9.1.2", "8"],
    ["130.9.1.2", "16"],
    ["192.168.1.2", "24"],
  ])("without a mask %s has the prefix of its class, %s", (ip, prefix) => {
    mark();
    runHook("bound", { interface: "v0", ip, lease: "600" });
    expect(lab.addresses("v0")).toEqual([`${ip}/${prefix}`]);
  });

  test.each([
    ["0.0.0.0", "24", "255.255.255.0"],
    ["127.0.0.1", "24", "255.255.255.0"],
    ["224.0.0.1", "24", "255.255.255.0"],
    ["240.0.0.1", "24", "255.255.255.0"],
    ["255.255.255.255", "24", "255.255.255.0"],
    ["10.9.0.0", "24", "255.255.255.0"],
    ["10.9.0.255", "24", "255.255.255.0"],
    ["10.9.0.7", "16", "255.0.255.0"],
    ["10.9.0.7", "0", "0.0.0.0"],
    ["10.9.0.7", "1", "128.0.0.0"],
    ["10.9.0.7", "", "255.255.255.0 255.255.255.0"],
    ["10.9.0.7 dev lo", "24", "255.255.255.0"],
    ["10.9.0.7\n10.9.0.8", "24", "255.255.255.0"],
    ["010.9.0.7", "24", "255.255.255.0"],
    ["10.9.0.7777", "24", "255.255.255.0"],
    ["", "24", "255.255.255.0"],
  ])("the address %j with the prefix %j and the mask %j is refused", (ip, mask, subnet) => {
    mark();
    runHook("bound");
    // The parent is taken for the client, and ends.
    expect(() => runHook("renew", { ...bound, ip, mask, subnet })).toThrow(
      expect.objectContaining({ signal: "SIGTERM" }),
    );
    expect(lab.addresses("v0")).toEqual([]);
    expect(routes()).toEqual([]);
    const dropped: string[] = [];
    expect(parseLease(text(), (field) => dropped.push(field))).toBeUndefined();
    expect(dropped.length).toBeGreaterThan(0);
  });

  test.each([
    ["an end", "a\nend=1\naddress=6.6.6.6"],
    ["a new line at the end", "a\n"],
    ["an escape", "\u001b[2J"],
    ["a tab", "a\tb"],
    ["bytes that are no UTF-8", "\\351\\377"],
    ["UTF-8", "n\u00f6de"],
    ["an empty line", "\n"],
  ])("%s does not get into the lease file", (_, value) => {
    mark();
    const command = `hostname=$(printf "$2x"); hostname=\${hostname%x}; export hostname; ${shell} "$0" "$1"; :`;
    const values = Object.entries(bound).map(([name, word]) => `${name}=${word}`);
    const words = ["env", `NODE0_DHCP_DIR=${DIRECTORY}`, ...values, "sh", "-c", command];
    lab.node(...words, HOOK, "bound", value);
    const dropped: string[] = [];
    const parsed = parseLease(text(), (...words) => dropped.push(words.join(" ")));
    expect(parsed).toMatchObject({ address: "10.9.0.77", hostname: null });
    expect(dropped).toEqual(["hostname not printable"]);
  });

  test("values for the shell stay values", () => {
    mark();
    const evil = "$(touch /run/pwned)`touch /run/pwned`;touch /run/pwned|\"'\\$IFS*";
    const names = ["hostname", "domain", "search", "boot_file", "sname", "bootfile", "tftp"];
    const lists = ["router", "dns", "ntpsrv", "mtu", "serverid", "staticroutes", "opt53"];
    const values = [...names, ...lists].map((name) => [name, evil]);
    runHook("bound", { ...bound, ...Object.fromEntries(values) });
    expect(lab.node("sh", "-c", "echo /run/pwned*").trim()).toBe("/run/pwned*");
    expect(lab.addresses("v0")).toEqual(["10.9.0.77/24"]);
    expect(routes()).toEqual([]);
    expect(lease()).toMatchObject({ hostname: null, search: [], dns: [], ntp: [], routes: [] });
  });

  test("a shorter lease leaves nothing of a longer one that counts", () => {
    const long = Array.from({ length: 60 }, (_, index) => `10.9.1.${index + 1}`);
    runHook("bound", { ...bound, dns: long.join(" "), hostname: "old" });
    expect(lease()?.dns).toHaveLength(60);
    runHook("renew", { ...bound, dns: "10.9.0.1" });
    expect(lease()).toMatchObject({ dns: ["10.9.0.1"], hostname: null });
  });
});
