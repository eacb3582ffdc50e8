import { beforeEach, describe, expect, test } from "vitest";
import { bondChanges } from "../../../../src/api/bond-changes.ts";
import { loadCommands } from "../../../../src/api/load-commands.ts";
import { CommandRegistry, toExecutable } from "../../../../src/api/registry.ts";
import type { Services } from "../../../../src/api/services.ts";
import { FakeKernelNetwork } from "../../../fakes/kernel-network.ts";

const registry = new CommandRegistry(await loadCommands());

let network: FakeKernelNetwork;
beforeEach(() => {
  network = new FakeKernelNetwork();
  network.addLink("eth0", { isUp: true });
  network.addLink("eth1");
  network.addLink("br0", { kind: "bridge" });
});

async function run(name: string, args: unknown = {}): Promise<unknown> {
  const command = registry.get(name);
  if (command === undefined) throw new Error(`no command ${name}`);
  const services = { kernelNetwork: async () => network } as Partial<Services> as Services;
  const executable = toExecutable(command, services);
  if (executable.kind !== "builtin") throw new Error(`${name} is not a built-in`);
  return executable.run(args, {
    id: "1",
    emit: () => {},
    signal: new AbortController().signal,
  });
}

/** Code of the result of a job that fails: what does not say its own is 500. */
async function failure(name: string, args: unknown): Promise<[number, string]> {
  try {
    await run(name, args);
  } catch (error) {
    const { code, message } = error as { code: unknown; message: string };
    return [typeof code === "number" ? code : 500, message];
  }
  throw new Error(`${name} succeeded`);
}

const link = (name: string) => network.observe().links.find((one) => one.name === name);

test("all 18 commands of the family are there, for hosts and containers", () => {
  const family = registry.list().filter(({ name }) => name.startsWith("ip."));
  expect(family.map(({ name }) => name)).toEqual([
    ...["ip.addr.add", "ip.addr.del", "ip.addr.list"],
    ...["ip.bond.add", "ip.bond.del", "ip.bond.list"],
    ...["ip.bridge.add", "ip.bridge.addif", "ip.bridge.del", "ip.bridge.delif"],
    ...["ip.link.down", "ip.link.list", "ip.link.mtu", "ip.link.name", "ip.link.up"],
    ...["ip.route.add", "ip.route.del", "ip.route.list"],
  ]);
  expect(new Set(family.map(({ scope }) => scope))).toEqual(new Set(["both"]));
});

describe("bridges", () => {
  test("are created down, with the given address in any notation", async () => {
    await run("ip.bridge.add", { name: "br1", hwaddr: "02-00-00-AA-BB-CC" });
    expect(link("br1")).toMatchObject({ kind: "bridge", mac: "02:00:00:aa:bb:cc", isUp: false });
  });

  test.each([
    [{ name: "br1", hwaddr: "02:00" }, /^Cannot use MAC address "02:00", expected six bytes/],
    [{ name: "br0" }, /EEXIST/],
    [{ name: "bridge-too-long-" }, /^Cannot name a link "bridge-too-long-", expected 1 to 15/],
    [{ name: "a b" }, /^Cannot name a link "a b"/],
    [{ name: "br%d" }, /^Cannot name a link "br%d"/],
    [{ name: "" }, /^Cannot name a link ""/],
    [{}, /^Cannot use arguments.name: nothing seen/],
  ])("are refused with code 500 for %j", async (args, message) => {
    expect(await failure("ip.bridge.add", args)).toEqual([500, expect.stringMatching(message)]);
    expect(network.links).toHaveLength(3);
  });

  test("take links in and give them back", async () => {
    await run("ip.bridge.addif", { name: "br0", inf: "eth1" });
    expect(link("eth1")?.master).toBe("br0");
    await run("ip.bridge.delif", { name: "br0", inf: "eth1" });
    expect(link("eth1")?.master).toBeNull();
  });

  test("are deleted", async () => {
    await run("ip.bridge.del", { name: "br0" });
    expect(link("br0")).toBeUndefined();
  });

  test.each([
    ["ip.bridge.del", { name: "no" }, 'Cannot find link "no": there is none'],
    ["ip.bridge.del", { name: "eth0" }, "Cannot use eth0: kind device seen, expected bridge"],
    [
      "ip.bridge.addif",
      { name: "eth0", inf: "eth1" },
      "Cannot use eth0: kind device seen, expected bridge",
    ],
    ["ip.bridge.addif", { name: "br0", inf: "no" }, "Cannot find link no: there is none"],
    ["ip.bridge.delif", { name: "br0", inf: "no" }, 'Cannot find link "no": there is none'],
    ["ip.bridge.delif", { name: "br0", inf: "eth1" }, "Cannot detach eth1 from br0: it is in none"],
    ["ip.bridge.delif", { name: "no", inf: "eth1" }, 'Cannot find link "no": there is none'],
  ])("%s %j is 500 and changes nothing", async (name, args, message) => {
    const before = network.observe();
    expect(await failure(name, args)).toEqual([500, message]);
    expect(network.observe()).toEqual(before);
  });

  test("keep a link that belongs to another one", async () => {
    network.addLink("eth2", { master: "br9" });
    const [, message] = await failure("ip.bridge.delif", { name: "br0", inf: "eth2" });
    expect(message).toBe("Cannot detach eth2 from br0: it is in br9");
    expect(link("eth2")?.master).toBe("br9");
  });
});

describe("links", () => {
  test("go up and down", async () => {
    await run("ip.link.up", { name: "eth1" });
    expect(link("eth1")?.isUp).toBe(true);
    await run("ip.link.down", { name: "eth1" });
    expect(link("eth1")?.isUp).toBe(false);
  });

  test("get a new name", async () => {
    await run("ip.link.name", { name: "eth1", new: "lan" });
    expect(link("lan")?.index).toBe(2);
  });

  test("get an MTU", async () => {
    await run("ip.link.mtu", { name: "eth0", mtu: 9000 });
    expect(link("eth0")?.mtu).toBe(9000);
  });

  test.each([
    [{ name: "eth0", mtu: "big" }, 400],
    [{ name: 3, mtu: 1500 }, 400],
    [["eth0"], 400],
    [{ name: "no", mtu: 1500 }, 404],
    [{ mtu: 1500 }, 404],
    [{ name: "eth0", mtu: 7 }, 500],
    [{ name: "eth0" }, 500],
    [{ name: "eth0", mtu: -1 }, 500],
    [{ name: "eth0", mtu: 2 ** 32 }, 500],
    [null, 500],
  ])("ip.link.mtu %j is %i", async (args, code) => {
    expect((await failure("ip.link.mtu", args))[0]).toBe(code);
    expect(link("eth0")?.mtu).toBe(1500);
  });

  test.each([
    ["ip.link.up", { name: "no" }],
    ["ip.link.down", { name: "no" }],
    ["ip.link.name", { name: "no", new: "lan" }],
    ["ip.link.name", { name: "eth0", new: "eth1" }],
    ["ip.link.name", { name: "eth0", new: "a/b" }],
    ["ip.link.name", { name: "eth0" }],
  ])("%s %j is 500", async (name, args) => {
    expect((await failure(name, args))[0]).toBe(500);
  });

  test("are listed by index, with the shape of the protocol", async () => {
    network.addLink("eth2", { index: 9, master: "br0", mac: "", mtu: 1400 });
    expect(await run("ip.link.list")).toEqual([
      {
        name: "eth0",
        type: "device",
        hwaddr: "52:54:00:00:00:01",
        master: "",
        up: true,
        mtu: 1500,
      },
      {
        name: "eth1",
        type: "device",
        hwaddr: "52:54:00:00:00:02",
        master: "",
        up: false,
        mtu: 1500,
      },
      {
        name: "br0",
        type: "bridge",
        hwaddr: "52:54:00:00:00:03",
        master: "",
        up: false,
        mtu: 1500,
      },
      { name: "eth2", type: "device", hwaddr: "", master: "br0", up: false, mtu: 1400 },
    ]);
  });
});

describe("addresses", () => {
  test("are added, listed with IPv4 first, and removed", async () => {
    await run("ip.addr.add", { name: "eth0", ip: "FD00:0::1/64" });
    await run("ip.addr.add", { name: "eth0", ip: "10.0.0.1/24" });
    await run("ip.addr.add", { name: "eth1", ip: "10.1.0.1/24" });
    expect(await run("ip.addr.list", { name: "eth0" })).toEqual(["10.0.0.1/24", "fd00::1/64"]);
    await run("ip.addr.del", { name: "eth0", ip: "fd00::1/64" });
    expect(await run("ip.addr.list", { name: "eth0" })).toEqual(["10.0.0.1/24"]);
  });

  test("carry no mark of the agent, which leaves them alone", async () => {
    await run("ip.addr.add", { name: "eth0", ip: "10.0.0.1/24" });
    expect(network.addresses[0]?.protocol).toBe(0);
  });

  test.each([
    ["ip.addr.add", { name: "no", ip: "10.0.0.9/24" }, /there is none/],
    [
      "ip.addr.add",
      { name: "eth0", ip: "10.0.0.9" },
      /^Cannot use address "10.0.0.9", expected IP\/PREFIX/,
    ],
    ["ip.addr.add", { name: "eth0", ip: "10.0.0.9/33" }, /^Cannot use address/],
    ["ip.addr.add", { name: "eth0", ip: "10.0.0.256/8" }, /^Cannot use address/],
    ["ip.addr.add", { name: "eth0", ip: "fe80::1%eth0/64" }, /^Cannot use address/],
    ["ip.addr.add", { name: "eth0", ip: "10.0.0.1/24" }, /EEXIST/],
    ["ip.addr.del", { name: "eth0", ip: "10.0.0.2/24" }, /EADDRNOTAVAIL/],
    ["ip.addr.del", { name: "no", ip: "10.0.0.1/24" }, /there is none/],
    ["ip.addr.list", { name: "no" }, /there is none/],
  ])("%s %j is 500", async (name, args, message) => {
    await run("ip.addr.add", { name: "eth0", ip: "10.0.0.1/24" });
    expect(await failure(name, args)).toEqual([500, expect.stringMatching(message)]);
    expect(network.addresses).toHaveLength(1);
  });
});

describe("routes", () => {
  beforeEach(async () => {
    await run("ip.addr.add", { name: "eth0", ip: "10.0.0.1/24" });
  });

  test("are added to a network, whose host bits do not count, and as default", async () => {
    await run("ip.route.add", { dev: "eth0", dst: "10.9.1.2/16", gw: "10.0.0.2" });
    await run("ip.route.add", { dev: "eth0", gw: "10.0.0.2" });
    await run("ip.route.add", { dev: "eth0", gw: "fe80::2" });
    await run("ip.route.add", { dev: "eth0", dst: "10.8.0.0/16" });
    expect(await run("ip.route.list")).toEqual([
      { dev: "eth0", dst: "10.0.0.0/24", gw: "" },
      { dev: "eth0", dst: "10.9.0.0/16", gw: "10.0.0.2" },
      { dev: "eth0", dst: "", gw: "10.0.0.2" },
      { dev: "eth0", dst: "", gw: "fe80::2" },
      { dev: "eth0", dst: "10.8.0.0/16", gw: "" },
    ]);
  });

  test("are deleted by the fields that are given", async () => {
    await run("ip.route.add", { dev: "eth0", gw: "10.0.0.2" });
    await run("ip.route.del", { dev: "eth0", gw: "10.0.0.2" });
    await run("ip.route.del", { dev: "eth0", dst: "10.0.0.77/24" });
    expect(network.routes).toEqual([]);
  });

  test("a field that is left out matches everything, and more than one match is 500", async () => {
    await run("ip.route.add", { dev: "eth0", gw: "10.0.0.2" });
    expect(await failure("ip.route.del", { dev: "eth0" })).toEqual([
      500,
      "Cannot delete a route on eth0: 2 routes match, expected one",
    ]);
    expect(network.routes).toHaveLength(2);
  });

  test.each([
    ["ip.route.add", { dev: "no", dst: "10.9.0.0/16" }, /there is none/],
    ["ip.route.add", { dev: "eth0", dst: "10.9.0.0" }, /^Cannot use network "10.9.0.0"/],
    ["ip.route.add", { dev: "eth0", gw: "gateway" }, /^Cannot use gateway "gateway"/],
    ["ip.route.add", { dev: "eth0", dst: "10.0.0.0/24" }, /EEXIST/],
    ["ip.route.add", { dev: "eth0", gw: "10.7.0.1" }, /ENETUNREACH/],
    ["ip.route.del", { dev: "eth0", dst: "10.9.0.0/16" }, /no route matches/],
    ["ip.route.del", { dev: "eth1", dst: "10.0.0.0/24" }, /no route matches/],
    ["ip.route.del", { dev: "no", dst: "10.0.0.0/24" }, /there is none/],
  ])("%s %j is 500", async (name, args, message) => {
    expect(await failure(name, args)).toEqual([500, expect.stringMatching(message)]);
    expect(network.routes).toHaveLength(1);
  });
});

describe("bonds", () => {
  test("are made of links that were up or down, which get the MTU and end up", () => {
    for (const change of bondChanges({ bond: "bond0", interfaces: ["eth0", "eth1"], mtu: 9000 })) {
      network.apply(change);
    }
    expect(link("bond0")).toMatchObject({ kind: "bond", bondMode: "balance-rr", isUp: true });
    for (const name of ["eth0", "eth1"]) {
      expect(link(name)).toMatchObject({ master: "bond0", isUp: true, mtu: 9000 });
    }
  });

  test("are not made when a link is missing, which is 404", async () => {
    const args = { bond: "bond0", interfaces: ["eth0", "no"] };
    expect(await failure("ip.bond.add", args)).toEqual([
      404,
      'Cannot find link "no": there is none',
    ]);
    expect(network.changes).toEqual([]);
  });

  test.each([[{ bond: "bond0" }], [{ bond: "bond0", interfaces: "eth0" }], [{ interfaces: [] }]])(
    "are refused with 500 for %j",
    async (args) => {
      expect((await failure("ip.bond.add", args))[0]).toBe(500);
    },
  );

  test("ip.bond.del deletes whatever link has the name", async () => {
    await run("ip.bond.del", { bond: "br0" });
    expect(link("br0")).toBeUndefined();
    expect((await failure("ip.bond.del", { bond: "br0" }))[0]).toBe(500);
  });
});
