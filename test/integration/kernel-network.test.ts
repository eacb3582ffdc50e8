import { resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { errorCode } from "../../src/base/errors.ts";
import type { NetworkChange } from "../../src/sys/network-state.ts";
import { FakeKernelNetwork } from "../fakes/kernel-network.ts";
import { NetworkCell } from "./support/network-cell.ts";
import { missingForLab } from "./support/network-lab.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`kernel-network is skipped: ${missing}`);

/** A machine with two wired links, one of them in a bridge, both families, and several routes. */
const SETTING = `
  ip link add br0 address 02:00:00:00:00:01 type bridge
  ip link add v0 type veth peer name v1
  ip link add v2 type veth peer name v3
  ip link set v0 master br0 mtu 1400
  for link in br0 v0 v1 v2; do ip link set $link up; done
  ip link add mv0 link v1 type macvlan
  ip link add tap0 type bridge
  ip address add 10.1.0.1/24 brd + dev br0
  ip address add 10.2.0.1 peer 10.2.0.2/32 dev v1
  ip address add fd00::1/64 dev br0 nodad
  ip address add 10.3.0.1/24 dev v1 valid_lft 3600 preferred_lft 1800
  ip route add default via 10.1.0.2 metric 5
  ip route add default via 10.3.0.2 metric 10
  ip route add 10.6.0.0/16 nexthop via 10.1.0.3 nexthop via 10.3.0.2
  ip route add blackhole 10.7.0.0/16
  ip route add 10.8.0.0/16 dev br0 table 100
  ip -6 route add default via fd00::2
  ip -6 route add fd01::/64 via fd00::3 metric 7
`;

describe.skipIf(missing !== undefined)("the network of the kernel", () => {
  let cell: NetworkCell;
  beforeEach(async () => {
    cell = await NetworkCell.open();
  });
  afterEach(() => cell.close());

  describe("is seen as ip shows it", () => {
    beforeEach(async () => {
      await cell.shell(SETTING);
    });

    test("links", async () => {
      const { links } = await cell.observe();
      const shown = (await cell.json("ip -json -details link show")) as unknown as IpLink[];
      const byIndex = shown.sort((one, other) => one.ifindex - other.ifindex);
      expect(links).toEqual(
        byIndex.map((link) => ({
          name: link.ifname,
          index: link.ifindex,
          kind: link.linkinfo?.info_kind ?? "device",
          mac: link.address === "00:00:00:00:00:00" ? "" : link.address,
          mtu: link.mtu,
          isUp: link.flags.includes("UP"),
          hasCarrier: link.flags.includes("LOWER_UP"),
          isLoopback: link.flags.includes("LOOPBACK"),
          master: link.master ?? null,
          parent: link.linkinfo?.info_kind === "macvlan" ? link.link : null,
          vlanId: null,
          bondMode: null,
        })),
      );
    });

    test("addresses", async () => {
      const { addresses } = await cell.observe();
      const shown = (await cell.json("ip -json address show")) as unknown as IpLink[];
      const rows = shown.flatMap(({ ifname, addr_info: list = [] }) =>
        list.map((one) => `${ifname} ${one.local}/${one.prefixlen} ${one.scope}`),
      );
      const seen = addresses.map(
        (one) => `${one.interface} ${one.address}/${one.prefix} ${one.scope}`,
      );
      expect(seen.sort()).toEqual(rows.sort());
      const leased = addresses.find(({ address }) => address === "10.3.0.1");
      expect(leased?.validSeconds).toBeGreaterThan(3500);
      expect(leased?.validSeconds).toBeLessThanOrEqual(3600);
    });

    test("routes, a first next hop for several", async () => {
      const { routes } = await cell.observe();
      const four = (await cell.json("ip -json -4 route show")) as unknown as IpRoute[];
      const six = (await cell.json("ip -json -6 route show")) as unknown as IpRoute[];
      const rows = [...four, ...six]
        .filter(({ type }) => type === undefined || type === "unicast")
        .map(({ dst, gateway, dev, metric, nexthops: [hop] = [] }) =>
          [dst, gateway ?? hop?.gateway ?? "-", dev ?? hop?.dev, metric ?? 0].join(" "),
        );
      const seen = routes.map(({ family, destination, gateway, interface: dev, metric }) => {
        const isHost = destination.endsWith(family === 4 ? "/32" : "/128");
        const dst = destination.endsWith("/0") ? "default" : destination;
        return [isHost ? dst.replace(/\/\d+$/, "") : dst, gateway ?? "-", dev, metric].join(" ");
      });
      expect(seen.sort()).toEqual(rows.sort());
      expect(seen).toContain("10.6.0.0/16 10.1.0.3 br0 0");
    });

    test("and as node-netlink reads it", async () => {
      const program = `${process.execPath} ${resolve("test/fixtures/netlink-witness.ts")}`;
      const witness: unknown = JSON.parse(await cell.shell(program));
      const { links, addresses, routes } = await cell.observe();
      expect(witness).toEqual({
        links: links.map(({ index, name }) => [index, name]),
        addresses: addresses.length,
        routes: routes.length,
      });
    });
  });

  test("thousands of objects, which take many datagrams, are all seen", async () => {
    await cell.shell(`
      ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
      seq 1 200 | sed 's/.*/link add b& type bridge/' | ip -batch -
      seq 0 2999 | awk '{print "route add 10." int($1/250) "." $1%250 ".0/24 dev v0"}' | ip -batch -
    `);
    const { links, routes } = await cell.observe();
    expect(links.filter(({ kind }) => kind === "bridge")).toHaveLength(200);
    expect(routes.filter(({ family }) => family === 4)).toHaveLength(3000);
  });

  test("it can be read while links come and go", async () => {
    const churn =
      "while :; do printf 'link add c0 type bridge\\nlink del c0\\n'; done | ip -batch -";
    await cell.shell(`(${churn}) >/dev/null 2>&1 &`);
    for (let round = 0; round < 200; round += 1) {
      const { links } = await cell.observe();
      expect(links.map(({ name }) => name).filter((name) => name !== "c0")).toEqual(["lo"]);
    }
  });

  test("changes show in what ip says", async () => {
    await cell.shell("ip link add v0 type veth peer name v1; ip link set v1 up");
    const link = { kind: "bridge", stp: true } as const;
    await cell.apply({ op: "link.add", name: "br0", link, mac: "02:00:00:00:00:01" });
    await cell.apply({ op: "link.set", name: "v0", master: "br0", isUp: true, mtu: 1400 });
    await cell.apply({ op: "link.set", name: "br0", isUp: true });
    const address = { op: "address.add", interface: "br0", prefix: 24 } as const;
    await cell.apply({ ...address, address: "10.1.0.1", validSeconds: 600, protocol: 210 });
    await cell.apply({ ...address, address: "fd00::1", prefix: 64 });
    const route = { op: "route.add", interface: "br0", protocol: 210 } as const;
    const everywhere = "0.0.0.0/0";
    await cell.apply({ ...route, destination: everywhere, gateway: "10.1.0.2", metric: 5 });
    await cell.apply({
      ...route,
      destination: "10.9.0.0/16",
      gateway: "10.99.0.1",
      isOnLink: true,
    });
    await cell.apply({ ...route, destination: "::/0", gateway: "fd00::2" });
    expect(await cell.shell("ip -details link show br0")).toMatch(
      /link\/ether 02:00:00:00:00:01[\s\S]*bridge[\s\S]*stp_state 1/,
    );
    expect(await cell.shell("ip -o link show v0")).toMatch(/mtu 1400 .*master br0/);
    expect(await cell.shell("ip -4 address show br0")).toMatch(
      /inet 10\.1\.0\.1\/24 brd 10\.1\.0\.255 scope global dynamic br0\s+valid_lft (600|599)sec preferred_lft (600|599)sec/,
    );
    expect(await cell.shell("ip route show")).toMatch(
      /default via 10\.1\.0\.2 dev br0 proto 210 metric 5/,
    );
    expect(await cell.shell("ip route show")).toMatch(
      /10\.9\.0\.0\/16 via 10\.99\.0\.1 dev br0 proto 210 onlink/,
    );
    expect(await cell.shell("ip -6 route show default")).toMatch(
      /default via fd00::2 dev br0 proto 210/,
    );
    const seen = (await cell.observe()).addresses.find((one) => one.address === "10.1.0.1");
    expect(seen?.protocol).toBe(210);
    await cell.apply({
      ...route,
      op: "route.replace",
      destination: everywhere,
      gateway: "10.1.0.3",
      metric: 5,
    });
    expect(await cell.shell("ip route show default")).toMatch(/^default via 10\.1\.0\.3 [^\n]*\n$/);
    await cell.apply({ ...route, op: "route.remove", destination: everywhere, gateway: null });
    expect(await cell.shell("ip route show default")).toBe("");
    await cell.apply({ op: "link.set", name: "v0", master: null, newName: "w0" });
    expect(await cell.shell("ip -o link show w0")).not.toContain("master");
    await cell.apply({ op: "link.delete", name: "br0" });
    expect(await cell.shell("ip -o link")).not.toContain("br0");
  });

  test("a refusal has the name of the error and the words of the kernel", async () => {
    await cell.apply({ op: "link.add", name: "br0", link: { kind: "bridge" } });
    const address = {
      op: "address.add",
      interface: "br0",
      address: "10.0.0.1",
      prefix: 24,
    } as const;
    await cell.apply(address);
    await expect(cell.apply(address)).rejects.toThrow(
      /^Cannot add address 10\.0\.0\.1\/24 to br0: EEXIST(, .*already assigned.*)?$/,
    );
    await expect(cell.apply({ ...address, interface: "no" })).rejects.toThrow(
      'Cannot add address 10.0.0.1/24 to no: there is no link "no"',
    );
    const vlan = { kind: "vlan", parent: "no", vlanId: 3 } as const;
    await expect(cell.apply({ op: "link.add", name: "v", link: vlan })).rejects.toMatchObject({
      code: "E_NO_LINK",
    });
  });

  test("the network in memory of the unit tests agrees with the real one, change by change", async () => {
    await cell.shell("ip link add v0 type veth peer name v1; ip link set v1 up");
    const fake = new FakeKernelNetwork();
    for (const link of (await cell.observe()).links) {
      fake.addLink(link.name, { ...link, hasCarrier: true });
    }
    fake.addresses = [...(await cell.observe()).addresses];
    for (const change of CHANGES) {
      const real = await cell.apply(change).then(() => "done", failureOf);
      let faked = "done";
      try {
        fake.apply(change);
      } catch (error) {
        faked = failureOf(error);
      }
      expect(faked, JSON.stringify(change)).toBe(real);
      expect(comparable(fake.observe()), JSON.stringify(change)).toEqual(
        comparable(await cell.observe()),
      );
    }
  });
});

interface IpLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly master?: string;
  readonly link?: string;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly { local: string; prefixlen: number; scope: string }[];
}

interface IpRoute {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly metric?: number;
  readonly nexthops?: readonly { gateway: string; dev: string }[];
}

function failureOf(error: unknown): string {
  const code = errorCode(error) ?? "";
  // The word after the colon is the name of the error.
  const [, errno = ""] = /: ([A-Z]+)/.exec((error as Error).message) ?? [];
  return code === "E_NO_LINK" ? code : `${code} ${errno}`;
}

/** What a reader depends on: link-local IPv6 comes and goes by itself, and so it is left out. */
function comparable(state: Awaited<ReturnType<NetworkCell["observe"]>>) {
  const name = ({ name, master, isUp, mtu, kind }: (typeof state.links)[number]) =>
    `${name} ${kind} ${master} ${isUp} ${mtu}`;
  return {
    links: state.links.map(name).sort(),
    addresses: state.addresses
      .filter(({ address }) => !/^(fe80|::1|127)/.test(address))
      .map(
        ({ interface: link, address, prefix, protocol }) =>
          `${link} ${address}/${prefix} ${protocol}`,
      )
      .sort(),
    routes: state.routes
      .filter(({ destination }) => !/^fe80/.test(destination))
      .map(
        (one) => `${one.destination} ${one.gateway} ${one.interface} ${one.metric} ${one.protocol}`,
      )
      .sort(),
  };
}

const bridge = { kind: "bridge" } as const;
const v4 = { interface: "br0", address: "10.0.0.1", prefix: 24 } as const;
const v6 = { interface: "br0", address: "fd00::1", prefix: 64 } as const;
const net = { interface: "br0", destination: "10.9.0.0/16", gateway: "10.0.0.2" } as const;
const everywhere = { interface: "br0", destination: "0.0.0.0/0", gateway: "10.0.0.2" } as const;

const CHANGES: readonly NetworkChange[] = [
  { op: "link.add", name: "br0", link: bridge },
  { op: "link.add", name: "br0", link: bridge },
  { op: "link.add", name: "a-name-too-long-", link: bridge },
  { op: "link.set", name: "no", isUp: true },
  { op: "link.set", name: "v0", master: "v1" },
  { op: "link.set", name: "v0", master: "no" },
  { op: "link.set", name: "v0", master: "br0", isUp: true },
  { op: "address.add", ...v4, protocol: 210 },
  { op: "address.add", ...v4 },
  { op: "route.add", ...net },
  { op: "link.set", name: "br0", isUp: true },
  { op: "address.remove", ...v4, prefix: 25 },
  { op: "route.add", ...net, gateway: "10.77.0.1" },
  { op: "route.add", ...net },
  { op: "route.add", ...net },
  { op: "route.add", ...net, metric: 7, protocol: 210 },
  { op: "route.add", ...net, destination: "10.9.0.1/16" },
  { op: "route.add", ...everywhere, metric: 5 },
  { op: "route.add", ...everywhere, metric: 5, gateway: "10.0.0.3" },
  { op: "route.replace", ...everywhere, metric: 5, gateway: "10.0.0.3" },
  { op: "route.remove", ...net, gateway: null },
  { op: "route.remove", ...net, gateway: null, protocol: 4 },
  { op: "route.remove", ...net, metric: 7 },
  { op: "route.remove", ...net },
  { op: "route.add", ...net, gateway: "10.77.0.1", isOnLink: true },
  { op: "address.add", ...v6 },
  { op: "route.add", interface: "br0", destination: "::/0", gateway: "fd00::2" },
  { op: "route.remove", interface: "br0", destination: "::/0", gateway: "fd00::3" },
  { op: "link.set", name: "br0", newName: "br1", isUp: true },
  { op: "link.set", name: "br1", newName: "v0" },
  { op: "link.set", name: "br1", newName: "br0" },
  { op: "link.set", name: "v1", mtu: 7 },
  { op: "address.remove", ...v6 },
  { op: "address.remove", ...v6 },
  { op: "link.set", name: "v0", master: null },
  { op: "link.set", name: "br0", isUp: false },
  { op: "link.set", name: "br0", isUp: true },
  { op: "address.remove", ...v4 },
  { op: "link.delete", name: "lo" },
  { op: "link.delete", name: "br0" },
  { op: "link.delete", name: "br0" },
];
