import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Lease } from "../../src/network/lease.ts";
import type { DhcpAnswer } from "../fixtures/dhcp-server.ts";
import { DECENT, DhcpLab } from "./support/dhcp-lab.ts";
import { missingForLab } from "./support/network-lab.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`dhcp-hostile is skipped: ${missing}`);

const SOON = { timeout: 8000, interval: 30 };
const EVIL = "$(touch /run/pwned);`touch /run/pwned`";
const hex = (text: string): string => Buffer.from(text, "latin1").toString("hex");
const ip = (address: string): string => Buffer.from(address.split(".").map(Number)).toString("hex");
/** A name as option 119 has it. Source: RFC 3397, RFC 1035, 4.1.4. */
const labels = (...words: string[]): string =>
  `${words.map((word) => hex(String.fromCharCode(word.length)) + hex(word)).join("")}00`;

type Options = NonNullable<DhcpAnswer["options"]>;
const withOptions = (...more: Options): Partial<DhcpAnswer> => ({
  options: [...(DECENT.options ?? []), ...more],
});
/** The decent options, with this one in the place of the one with its code. */
const instead = (code: number, value: string): Partial<DhcpAnswer> => ({
  options: (DECENT.options ?? []).map((one) => (one[0] === code ? [code, value] : one)),
});

interface Case {
  readonly name: string;
  readonly answer: Partial<DhcpAnswer>;
  /** Members of the lease; the decent ones where nothing is said. */
  readonly lease?: Partial<Lease>;
  /** Fields that are logged as not used. */
  readonly dropped?: readonly string[];
}

const TAMED: readonly Case[] = [
  {
    name: "a host name for the shell",
    answer: withOptions([12, hex(EVIL)]),
    dropped: ["hostname"],
  },
  {
    name: "a host name with a new line and an end",
    answer: withOptions([12, hex("a\nend=1\naddress=6.6.6.6")]),
    dropped: ["hostname"],
  },
  {
    name: "a host name with NUL",
    answer: withOptions([12, hex("node7\0; reboot")]),
    lease: { hostname: "node7" },
  },
  {
    name: "a host name that is an option",
    answer: withOptions([12, hex("-rf")]),
    dropped: ["hostname"],
  },
  {
    name: "a host name that is no UTF-8",
    answer: withOptions([12, "e9ff80"]),
    dropped: ["hostname"],
  },
  {
    name: "a host name of 255 bytes",
    answer: withOptions([12, hex("a".repeat(255))]),
    dropped: ["hostname"],
  },
  { name: "a domain for the shell", answer: withOptions([15, hex(EVIL)]), dropped: ["domain"] },
  {
    name: "a domain of 255 bytes",
    answer: withOptions([15, hex("a".repeat(255))]),
    dropped: ["domain"],
  },
  {
    name: "search domains for the shell, and a decent one",
    answer: withOptions([119, labels("$(touch /run/pwned)", "x") + labels("good", "example")]),
    lease: { search: ["good.example"] },
    dropped: ["search", "search"],
  },
  {
    name: "search domains with a new line",
    answer: withOptions([119, labels("a\nend=1\nb", "x")]),
    dropped: ["search"],
  },
  { name: "a search domain that points to itself", answer: withOptions([119, "c000"]) },
  { name: "a search domain that is cut", answer: withOptions([119, "3f616263"]) },
  {
    name: "boot file and server name for the shell, in the header",
    answer: { bootFile: hex(EVIL), serverName: hex(EVIL) },
  },
  {
    name: "boot file and server name for the shell, as options",
    answer: withOptions([66, hex(EVIL)], [67, hex(`${EVIL}\nend=1`)]),
  },
  { name: "an error message for the shell", answer: withOptions([56, hex(EVIL)]) },
  { name: "options without a name", answer: withOptions([200, hex(EVIL)], [250, hex("\n")]) },
  {
    name: "options in the fields of boot file and server name",
    answer: {
      ...withOptions([52, "03"]),
      bootFile: `0c13${hex("$(touch /run/pwned)")}ff`,
      serverName: `0f13${hex("$(touch /run/pwned)")}ff`,
    },
    dropped: ["domain", "hostname"],
  },
  { name: "an MTU that is too small", answer: withOptions([26, "0044"]), dropped: ["mtu"] },
  { name: "an MTU that is too big", answer: withOptions([26, "ffff"]), dropped: ["mtu"] },
  { name: "half an MTU", answer: withOptions([26, "05"]) },
  { name: "two MTUs", answer: withOptions([26, "05780578"]), dropped: ["mtu"] },
  {
    name: "name servers and time servers that are none",
    answer: withOptions(
      [6, ip("0.0.0.0") + ip("127.0.0.1") + ip("10.9.0.1")],
      [42, `${ip("255.255.255.255")}0a`],
    ),
    lease: { dns: ["10.9.0.1"] },
    dropped: ["dns", "dns", "ntp"],
  },
  {
    name: "as many name servers as fit",
    answer: withOptions([6, ip("10.9.0.1").repeat(63)]),
    lease: { dns: Array.from({ length: 63 }, () => "10.9.0.1") },
  },
  {
    name: "as many routers as fit, the first ones useless",
    answer: instead(
      3,
      ip("0.0.0.0") + ip("224.0.0.1") + ip("10.9.0.1") + ip("10.9.0.2").repeat(60),
    ),
  },
  {
    name: "only routers that are none",
    answer: instead(3, ip("127.0.0.1") + ip("255.255.255.255")),
    lease: { gateway: null },
    dropped: ["gateway"],
  },
  {
    name: "a route with the prefix 33 after a decent one",
    answer: withOptions([121, `080a${ip("10.9.0.3")}21${ip("10.1.2.3")}00${ip("10.9.0.4")}`]),
    lease: { routes: [{ destination: "10.0.0.0/8", gateway: "10.9.0.3" }] },
  },
  {
    name: "a route that is cut after a decent one",
    answer: withOptions([121, `080a${ip("10.9.0.3")}180a0102`]),
    lease: { routes: [{ destination: "10.0.0.0/8", gateway: "10.9.0.3" }] },
  },
  {
    name: "routes to loopback, to multicast and over multicast",
    answer: withOptions([121, `087f${ip("10.9.0.3")}04e0${ip("10.9.0.3")}080b${ip("224.0.0.1")}`]),
    dropped: ["routes", "routes", "routes"],
  },
  {
    name: "as many routes as fit",
    answer: withOptions([
      121,
      Array.from({ length: 42 }, (_, index) => `080${(index % 9) + 1}${ip("10.9.0.3")}`).join(""),
    ]),
    lease: {
      routes: Array.from({ length: 9 }, (_, index) => ({
        destination: `${index + 1}.0.0.0/8`,
        gateway: "10.9.0.3",
      })),
    },
  },
  { name: "no time at all", answer: instead(51, "00000000"), lease: { leaseSeconds: 30 } },
  { name: "half a time", answer: instead(51, "0001"), lease: { leaseSeconds: 3600 } },
  { name: "all the time", answer: instead(51, "ffffffff"), lease: { leaseSeconds: null } },
  {
    name: "an option longer than the rest of the packet",
    answer: { tail: `0cc8${hex(EVIL)}` },
    dropped: ["hostname"],
  },
  {
    name: "an option longer than any packet",
    answer: { tail: `0cff${hex("a".repeat(250))}0cff` },
    dropped: ["hostname"],
  },
  { name: "no end", answer: { tail: "" } },
];

const REFUSED: readonly (Case & { readonly dropped: readonly string[] })[] = [
  ...["0.0.0.0", "0.9.9.9", "127.0.0.1", "224.0.0.5", "240.0.0.1", "255.255.255.255"],
  ...["10.9.0.0", "10.9.0.255"],
]
  .map((address) => ({ name: `the address ${address}`, answer: { address }, dropped: ["address"] }))
  .concat(
    [
      ["255.0.255.0", "netmask"],
      ["0.255.255.255", "netmask"],
      ["0.0.0.0", "prefix"],
      ["128.0.0.0", "prefix"],
    ].map(([mask = "", field = ""]) => ({
      name: `the mask ${mask}`,
      answer: { ...instead(1, ip(mask)), address: "10.9.0.50" },
      dropped: [field],
    })),
  );

describe.skipIf(missing !== undefined)("of a server that says anything", () => {
  let dhcp: DhcpLab;
  beforeAll(async () => {
    dhcp = await DhcpLab.open();
  });
  afterEach(async () => {
    await dhcp.call("stop");
    dhcp.log.length = 0;
    expect(dhcp.addresses()).toEqual([]);
    expect(dhcp.lab.node("ls", "/run")).not.toContain("pwned");
  });
  afterAll(() => dhcp.close());

  async function startWith(answer: Partial<DhcpAnswer>): Promise<void> {
    dhcp.say(answer);
    await dhcp.call("setInUse", 1007);
    await dhcp.call("start");
  }

  const logged = (): (string | undefined)[] =>
    dhcp.log.map(
      (line) =>
        /^value of a DHCP server is not used interface=v0 field=(\w+) value=[ -~]{1,70}$/.exec(
          line,
        )?.[1],
    );

  test.each(TAMED)("$name does no harm", async ({ answer, lease, dropped = [] }) => {
    await startWith(answer);
    await expect.poll(dhcp.lease.bind(dhcp), SOON).toBeDefined();
    expect(await dhcp.lease()).toEqual({
      ...{ interface: "v0", address: "10.9.0.50", prefix: 24, gateway: "10.9.0.1" },
      ...{ routes: [], dns: [], search: [], ntp: [], hostname: null, mtu: null },
      ...{ leaseSeconds: 600, obtainedMs: expect.any(Number), server: "10.9.0.1" },
      ...lease,
    });
    expect(dhcp.addresses()).toEqual(["10.9.0.50/24"]);
    expect(logged()).toEqual(dropped);
  });

  // udhcpc reads on behind the end of the packet, into memory of its own: what it finds there is a name
  // like any other, or is dropped.
  test("an option without its length does no harm", async () => {
    await startWith({ tail: "0c" });
    await expect.poll(dhcp.lease.bind(dhcp), SOON).toBeDefined();
    const lease = await dhcp.lease();
    expect(lease).toMatchObject({ address: "10.9.0.50", prefix: 24, gateway: "10.9.0.1", dns: [] });
    expect(lease?.hostname ?? "none").toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i);
    expect(logged().filter((field) => field !== "hostname")).toEqual([]);
    expect(dhcp.addresses()).toEqual(["10.9.0.50/24"]);
  });

  test.each(REFUSED)("$name is refused, and the client ends", async ({ answer, dropped }) => {
    await startWith(answer);
    await expect.poll(() => dhcp.call("isRunning"), SOON).toBe(false);
    expect(await dhcp.lease()).toBeUndefined();
    expect(logged()).toEqual(dropped);
    expect(dhcp.addresses()).toEqual([]);
    expect(dhcp.routes()).toBe("");
  });

  test("what is not used is logged once, not at each look", async () => {
    await startWith(withOptions([26, "0044"]));
    await expect.poll(dhcp.lease.bind(dhcp), SOON).toBeDefined();
    await dhcp.lease();
    await dhcp.call("renew");
    await dhcp.lease();
    expect(logged()).toEqual(["mtu"]);
  });
});

describe.skipIf(missing !== undefined)("of dnsmasq", () => {
  let dhcp: DhcpLab;
  beforeAll(async () => {
    dhcp = await DhcpLab.open(null);
  });
  afterAll(() => dhcp.close());

  test("nonsense in every option costs these options and nothing else", async () => {
    const options = [
      "12,$(touch /run/pwned)",
      "15,`touch /run/pwned`",
      "26,1",
      "42,127.0.0.1",
      "66,;touch /run/pwned",
      "67,|touch /run/pwned",
      "119,$(touch /run/pwned).example,good.example",
      "121,10.0.0.0/8,10.9.0.1,0.0.0.0/0,10.9.0.1,127.0.0.0/8,10.9.0.1",
      `3,${Array.from({ length: 15 }, (_, index) => `10.9.0.${index + 1}`).join(",")}`,
      `6,${Array.from({ length: 15 }, (_, index) => `10.9.0.${index + 1}`).join(",")}`,
    ];
    dhcp.lab.server(
      "dnsmasq",
      ...["--interface=s0", "--bind-interfaces", "--port=0", "--no-ping", "--user=root"],
      ...["--conf-file=/dev/null", "--pid-file=/run/dnsmasq.pid"],
      ...["--dhcp-leasefile=/run/dnsmasq.leases", "--dhcp-range=10.9.0.50,10.9.0.60,2m"],
      ...options.map((option) => `--dhcp-option-force=${option}`),
    );
    await dhcp.call("setInUse", 1007);
    await dhcp.call("start");
    await expect.poll(dhcp.lease.bind(dhcp), SOON).toBeDefined();
    expect(await dhcp.lease()).toMatchObject({
      ...{ prefix: 24, gateway: "10.9.0.1", mtu: null, ntp: [], hostname: null },
      search: ["good.example"],
      routes: [
        { destination: "10.0.0.0/8", gateway: "10.9.0.1" },
        { destination: "0.0.0.0/0", gateway: "10.9.0.1" },
      ],
    });
    expect(dhcp.routes()).toMatch(/^default via 10\.9\.0\.1 .*\n10\.0\.0\.0\/8 via 10\.9\.0\.1 /);
    expect(dhcp.lab.node("ls", "/run")).not.toContain("pwned");
    for (const field of ["hostname", "domain", "mtu", "ntp", "search", "routes"]) {
      expect(dhcp.log.join("\n")).toContain(`field=${field} `);
    }
  });
});
