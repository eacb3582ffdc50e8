import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NetworkCell } from "./support/network-cell.ts";
import { missingForLab } from "./support/network-lab.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`ip-commands is skipped: ${missing}`);

describe.skipIf(missing !== undefined)("ip commands", () => {
  let cell: NetworkCell;
  beforeEach(async () => {
    cell = await NetworkCell.open();
    await cell.shell("ip link add v0 type veth peer name v1; ip link set v1 up");
  });
  afterEach(() => cell.close());

  const run = (name: string, args: unknown = {}) => cell.command(`ip.${name}`, args);
  const link = async (name: string) => (await cell.json(`ip -json link show dev ${name}`))[0];
  const routes = (more = "") => cell.json(`ip -json route show ${more}`);

  test("a bridge is made, takes a link in, gives it back and goes", async () => {
    await run("bridge.add", { name: "br0", hwaddr: "02:00:00:00:00:AA" });
    expect(await link("br0")).toMatchObject({ address: "02:00:00:00:00:aa", operstate: "DOWN" });
    await run("bridge.addif", { name: "br0", inf: "v0" });
    expect(await link("v0")).toMatchObject({ master: "br0" });
    await expect(run("bridge.delif", { name: "br0", inf: "v1" })).rejects.toMatchObject({
      code: 500,
    });
    await run("bridge.delif", { name: "br0", inf: "v0" });
    expect(await link("v0")).not.toHaveProperty("master");
    await expect(run("bridge.del", { name: "v0" })).rejects.toMatchObject({ code: 500 });
    await run("bridge.del", { name: "br0" });
    await expect(link("br0")).rejects.toThrow("does not exist");
  });

  test("a link goes up, gets MTU and name, and goes down", async () => {
    await run("link.up", { name: "v0" });
    expect((await link("v0"))?.["flags"]).toContain("UP");
    await run("link.mtu", { name: "v0", mtu: 1400 });
    expect(await link("v0")).toMatchObject({ mtu: 1400 });
    await expect(run("link.mtu", { name: "no", mtu: 1400 })).rejects.toMatchObject({ code: 404 });
    await expect(run("link.mtu", { name: "v0", mtu: 9 })).rejects.toThrow(/EINVAL/);
    await run("link.down", { name: "v0" });
    expect((await link("v0"))?.["flags"]).not.toContain("UP");
    await run("link.name", { name: "v0", new: "lan" });
    expect(await link("lan")).toMatchObject({ mtu: 1400 });
  });

  test("links are listed as ip lists them", async () => {
    await cell.shell("ip link add br0 type bridge; ip link set v0 master br0");
    const shown = await cell.json("ip -json -details link show");
    expect(await run("link.list")).toEqual(
      shown.map((one) => ({
        name: one["ifname"],
        type: (one["linkinfo"] as { info_kind?: string } | undefined)?.info_kind ?? "device",
        hwaddr: one["link_type"] === "loopback" ? "" : one["address"],
        master: one["master"] ?? "",
        up: (one["flags"] as string[]).includes("UP"),
        mtu: one["mtu"],
      })),
    );
  });

  test("addresses are added, listed with IPv4 first, and removed", async () => {
    await run("addr.add", { name: "v0", ip: "fd00::1/64" });
    await run("addr.add", { name: "v0", ip: "10.0.0.1/24" });
    expect(await run("addr.list", { name: "v0" })).toEqual(["10.0.0.1/24", "fd00::1/64"]);
    const [shown] = await cell.json("ip -json -4 address show dev v0");
    expect(shown?.["addr_info"]).toMatchObject([
      { local: "10.0.0.1", prefixlen: 24, broadcast: "10.0.0.255", scope: "global" },
    ]);
    await expect(run("addr.add", { name: "v0", ip: "10.0.0.1/24" })).rejects.toThrow(/EEXIST/);
    await run("addr.del", { name: "v0", ip: "10.0.0.1/24" });
    await run("addr.del", { name: "v0", ip: "fd00::1/64" });
    await expect(run("addr.del", { name: "v0", ip: "fd00::1/64" })).rejects.toThrow(
      /EADDRNOTAVAIL/,
    );
    expect(await run("addr.list", { name: "v0" })).toEqual([]);
  });

  test("routes are added, listed and deleted", async () => {
    await cell.shell("ip address add 10.0.0.1/24 dev v0; ip link set v0 up");
    await run("route.add", { dev: "v0", dst: "10.9.0.0/16", gw: "10.0.0.2" });
    await run("route.add", { dev: "v0", gw: "10.0.0.3" });
    await run("route.add", { dev: "v0", dst: "10.8.0.0/16" });
    expect(await routes("root 10.9.0.0/16")).toMatchObject([{ gateway: "10.0.0.2", dev: "v0" }]);
    expect(await routes("default")).toMatchObject([{ gateway: "10.0.0.3", dev: "v0" }]);
    expect(await run("route.list")).toEqual(
      expect.arrayContaining([
        { dev: "v0", dst: "", gw: "10.0.0.3" },
        { dev: "v0", dst: "10.0.0.0/24", gw: "" },
        { dev: "v0", dst: "10.8.0.0/16", gw: "" },
        { dev: "v0", dst: "10.9.0.0/16", gw: "10.0.0.2" },
      ]),
    );
    await expect(run("route.add", { dev: "v0", gw: "10.0.0.3" })).rejects.toThrow(/EEXIST/);
    await expect(run("route.del", { dev: "v0" })).rejects.toThrow(/\d routes match/);
    await run("route.del", { dev: "v0", dst: "10.9.0.0/16" });
    await run("route.del", { dev: "v0", gw: "10.0.0.3" });
    await run("route.del", { dev: "v0", dst: "10.8.0.0/16" });
    expect((await routes()).map((one) => one["dst"])).toEqual(["10.0.0.0/24"]);
    await expect(run("route.del", { dev: "v0", gw: "10.0.0.3" })).rejects.toMatchObject({
      code: 500,
    });
  });

  test("routes of IPv6 are added, listed and deleted too", async () => {
    await cell.shell("ip address add fd00::1/64 dev v0 nodad; ip link set v0 up");
    await run("route.add", { dev: "v0", dst: "fd01::/48", gw: "fd00::2" });
    await run("route.add", { dev: "v0", gw: "fd00::2" });
    expect(await cell.shell("ip -6 route show default")).toMatch(/via fd00::2 dev v0/);
    expect(await run("route.list")).toContainEqual({ dev: "v0", dst: "fd01::/48", gw: "fd00::2" });
    await run("route.del", { dev: "v0", dst: "fd01::/48" });
    await run("route.del", { dev: "v0", dst: "::/0" });
    expect(await cell.shell("ip -6 route show | grep fd00::2 || true")).toBe("");
  });

  test("bonds: made of two links, listed with their status, and deleted", async (context) => {
    const probe = await cell.shell("ip link add probe type bond 2>&1 && ip link del probe || true");
    if (probe !== "") {
      console.log(`the test of bonds is skipped: ${probe.trim()} (kernel without bonding)`);
      await expect(run("bond.list")).rejects.toThrow("/proc/net/bonding is not there");
      return context.skip();
    }
    await cell.shell("ip link add w0 type veth peer name w1; ip link set w1 up");
    await run("bond.add", { bond: "bond7", interfaces: ["v0", "w0"], mtu: 1400 });
    expect(await link("bond7")).toMatchObject({ mtu: 1400 });
    for (const name of ["v0", "w0"]) {
      expect(await link(name)).toMatchObject({ master: "bond7", mtu: 1400 });
    }
    const { bond7 } = (await run("bond.list")) as Record<string, Record<string, string>[]>;
    expect(bond7?.[1]?.["Bonding Mode"]).toBe(" load balancing (round-robin)");
    expect(bond7?.slice(2).map((one) => one["Slave Interface"])).toEqual([" v0", " w0"]);
    await run("bond.del", { bond: "bond7" });
    await expect(link("bond7")).rejects.toThrow("does not exist");
  });
});
