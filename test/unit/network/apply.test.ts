import { expect, test } from "vitest";
import { AgentError } from "../../../src/base/errors.ts";
import { type ApplyNetworkOptions, applyNetwork } from "../../../src/network/apply.ts";
import type { DesiredNetworkInput } from "../../../src/network/build-desired.ts";
import type { NetworkState } from "../../../src/sys/network-state.ts";
import { desiredOf, lease } from "../../fakes/desired-input.ts";
import { FakeKernelNetwork } from "../../fakes/kernel-network.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

const VLAN = `
[interface."eth0.5"]
protocol = "static"
vlan = { link = "eth0", id = 5 }
[static."eth0.5"]
ip = "10.5.0.2/24"
gateway = "10.5.0.1"
`;
const BOND = `
[interface.bond0]
protocol = "static"
bond = { mode = "802.3ad", members = ["eth0", "eth1"] }
[static.bond0]
ip = "10.0.0.5/24"
gateway = "10.0.0.1"
`;
const fixed = (ip: string, more = ""): string =>
  `[interface.eth0]\nprotocol = "static"\n[static.eth0]\nip = ${ip}\n${more}`;

function machine() {
  const kernel = new FakeKernelNetwork();
  const files = new MemoryFiles();
  const log = new QuietLog();
  kernel.addLink("eth0");
  kernel.addLink("eth1");
  const apply = (
    toml: string,
    over: Partial<ApplyNetworkOptions & Pick<DesiredNetworkInput, "leases">> = {},
  ) =>
    applyNetwork({
      kernel,
      files,
      log,
      desired: ({ links }: NetworkState) =>
        desiredOf(toml, links, { leases: over.leases ?? new Map() }),
      ...over,
    });
  return { kernel, files, log, apply };
}

const refuse = (errno: string): never => {
  throw new AgentError("E_NETLINK", `Cannot do it: ${errno}`, { fields: { errno } });
};

test("a VLAN is made, and then what belongs on it, with a metric of its own index", async () => {
  const { kernel, apply } = machine();
  expect(await apply(VLAN)).toMatchObject({ problems: [] });
  const index = kernel.links.find(({ name }) => name === "eth0.5")?.index ?? 0;
  expect(kernel.addresses).toMatchObject([{ interface: "eth0.5", address: "10.5.0.2" }]);
  expect(kernel.routes).toContainEqual(
    expect.objectContaining({ gateway: "10.5.0.1", metric: 800 + index }),
  );
  expect(await apply(VLAN)).toEqual({ changes: 0, problems: [] });
});

test("members that are up get into a bond, and the bond works", async () => {
  const { kernel, apply } = machine();
  await apply("");
  expect(kernel.links.every(({ isUp }) => isUp)).toBe(true);
  expect(await apply(BOND)).toMatchObject({ problems: [] });
  expect(kernel.links.map(({ name, master, isUp }) => [name, master, isUp])).toEqual([
    ["eth0", "bond0", true],
    ["eth1", "bond0", true],
    ["bond0", null, true],
  ]);
  expect(await apply(BOND)).toEqual({ changes: 0, problems: [] });
});

test("what an earlier agent made is known to the next one, and goes when it is not wanted", async () => {
  const { kernel, files, apply } = machine();
  await apply(VLAN);
  const index = kernel.links.find(({ name }) => name === "eth0.5")?.index;
  expect(files.texts.get("/run/node0/network.json")).toBe(
    `{"links":[{"name":"eth0.5","index":${index}}],"addresses":[]}\n`,
  );
  await apply("");
  expect(kernel.links.map(({ name }) => name)).toEqual(["eth0", "eth1"]);
  expect(files.texts.get("/run/node0/network.json")).toBe('{"links":[],"addresses":[]}\n');
});

test("a link is written down before it is made", async () => {
  const { kernel, files, apply } = machine();
  const seen: (string | undefined)[] = [];
  kernel.beforeChange = ({ op }) => {
    if (op === "link.add") seen.push(files.texts.get("/run/node0/network.json"));
  };
  await apply(VLAN);
  expect(seen).toEqual(['{"links":[{"name":"eth0.5","index":null}],"addresses":[]}\n']);
});

test("somebody else's link in the way is never taken for the agent's own", async () => {
  const { kernel, files, apply } = machine();
  kernel.addLink("eth0.5", { kind: "bridge" });
  expect((await apply(VLAN)).problems).toEqual([
    "eth0.5: cannot make the vlan: it exists already (EEXIST)",
  ]);
  expect(files.texts.get("/run/node0/network.json") ?? "").not.toContain("eth0.5");
  await apply("");
  expect(kernel.links.map(({ name }) => name)).toContain("eth0.5");
});

test.each(["", "{", "3", '{"links":[]}', '{"links":[{"name":1,"index":2}],"addresses":[]}'])(
  "a state file that cannot be used takes nothing away: %j",
  async (text) => {
    const { kernel, files, apply } = machine();
    kernel.addLink("v5", { kind: "vlan", parent: "eth0", vlanId: 5 });
    files.texts.set("/run/node0/network.json", text);
    expect(await apply("")).toMatchObject({ problems: [] });
    expect(kernel.links.map(({ name }) => name)).toContain("v5");
  },
);

test("a state file that cannot be written is logged, and the network comes up", async () => {
  const { files, log, apply } = machine();
  files.failing.set("/run/node0/network.json", "EROFS");
  expect(await apply(VLAN)).toMatchObject({ problems: [] });
  expect(log.lines).toContainEqual([
    "warn",
    "network state cannot be kept",
    { path: "/run/node0/network.json", cause: "EROFS" },
  ]);
});

test("a refused change is told in plain words and does not stop the others", async () => {
  const { kernel, apply } = machine();
  kernel.beforeChange = (change) => {
    if (change.op === "address.add" && change.address === "10.0.0.5") refuse("EINVAL");
  };
  const { changes, problems } = await apply(fixed('["10.0.0.5/24", "10.1.0.5/24"]'));
  expect(problems).toEqual([
    "eth0: cannot add 10.0.0.5/24: the kernel does not take the value (EINVAL)",
  ]);
  expect(kernel.addresses.map(({ address }) => address)).toEqual(["10.1.0.5"]);
  expect(changes).toBe(3);
});

test("a change that somebody else makes first is no problem", async () => {
  const { kernel, apply } = machine();
  kernel.beforeChange = (change) => {
    if (change.op !== "address.add") return;
    kernel.beforeChange = () => {};
    kernel.apply({ ...change, protocol: 0 });
  };
  expect(await apply(fixed('"10.0.0.5/24"'))).toMatchObject({ problems: [] });
});

test("a kernel that takes changes and does not keep them ends the work after some rounds", async () => {
  const { kernel, apply } = machine();
  kernel.apply = () => {};
  expect((await apply(fixed('"10.0.0.5/24"'))).problems).toEqual([
    "eth0: cannot be set up: does not last",
    "eth1: cannot be set up: does not last",
    "eth0: cannot add 10.0.0.5/24: does not last",
  ]);
});

test("an address another machine has is a problem", async () => {
  const { kernel, apply } = machine();
  await apply(fixed('"2001:db8::5/64"'));
  kernel.addresses = kernel.addresses.map((one) => ({ ...one, isDuplicate: true }));
  expect(await apply(fixed('"2001:db8::5/64"'))).toEqual({
    changes: 0,
    problems: ["eth0: 2001:db8::5 is in use by another machine"],
  });
});

test("kernel modules are loaded before the first link of their kind, bonds without one of their own", async () => {
  const { kernel, apply } = machine();
  const loaded: unknown[] = [];
  const loadModule = (name: string, parameters: readonly string[]): void => {
    loaded.push([name, parameters, kernel.links.length]);
  };
  const toml = `${BOND}${VLAN.replaceAll("eth0", "bond0")}
[interface.br0]
protocol = "none"
bridge = {}
[interface.br1]
protocol = "none"
bridge = {}`;
  await apply(toml, { loadModule });
  expect(loaded).toEqual([
    ["bonding", ["max_bonds=0"], 2],
    ["8021q", [], 3],
    ["bridge", [], 4],
  ]);
});

test("a module that is there already is not loaded", async () => {
  const { files, apply } = machine();
  files.directories.set("/sys/module/8021q", 0o755);
  const loadModule = (): void => expect.unreachable();
  expect(await apply(VLAN, { loadModule })).toMatchObject({ problems: [] });
});

test("a module that cannot be loaded shows as the refusal of the kernel", async () => {
  const { kernel, log, apply } = machine();
  kernel.beforeChange = ({ op }) => {
    if (op === "link.add") refuse("EOPNOTSUPP");
  };
  const loadModule = async (): Promise<void> => Promise.reject(new Error("not found"));
  expect((await apply(VLAN, { loadModule })).problems).toEqual([
    "eth0.5: cannot make the vlan: the kernel cannot do that (EOPNOTSUPP)",
  ]);
  expect(log.lines).toContainEqual([
    "warn",
    "kernel module cannot be loaded",
    { module: "8021q", cause: "not found" },
  ]);
});

test("router advertisements are switched before the link is set up, and only where they differ", async () => {
  const { kernel, files, apply } = machine();
  const path = (name: string): string => `/proc/sys/net/ipv6/conf/eth0/${name}`;
  files.texts.set(path("accept_ra"), "1\n").set(path("autoconf"), "1\n");
  const atUp: (string | undefined)[] = [];
  kernel.beforeChange = (change) => {
    if (change.op === "link.set" && change.name === "eth0") {
      atUp.push(files.texts.get(path("accept_ra")));
    }
  };
  expect((await apply("")).changes).toBe(3);
  expect(atUp).toEqual(["2"]);
  expect(files.texts.get(path("autoconf"))).toBe("1\n");
  await apply('[interface.eth0]\nprotocol = "dhcp"\nipv6 = "none"');
  expect(files.texts.get(path("accept_ra"))).toBe("0");
  expect(files.texts.get(path("autoconf"))).toBe("0");
});

test("a setting that cannot be written is a problem", async () => {
  const { files, apply } = machine();
  const path = "/proc/sys/net/ipv6/conf/eth0/accept_ra";
  files.texts.set(path, "1\n");
  files.failing.set(path, "EROFS");
  expect((await apply("")).problems).toEqual(["eth0: cannot accept router advertisements: EROFS"]);
});

test("the address of a lease the agent did not know goes when it is not in use", async () => {
  const { kernel, apply } = machine();
  kernel.apply({
    op: "address.add",
    interface: "eth0",
    address: "10.0.2.15",
    prefix: 24,
    validSeconds: 60,
  });
  await apply("");
  expect(kernel.addresses).toHaveLength(1);
  await apply("", { leased: [{ interface: "eth0", address: "10.0.2.15", prefix: 24 }] });
  expect(kernel.addresses).toEqual([]);
});

test("taking away an address of IPv4 does not cost the others of its network", async () => {
  const { files, apply } = machine();
  const path = "/proc/sys/net/ipv4/conf/eth0/promote_secondaries";
  files.texts.set(path, "0\n");
  await apply(fixed('["10.0.0.5/24", "10.0.0.6/24"]'));
  expect(files.texts.get(path)).toBe("0\n");
  await apply(fixed('"10.0.0.6/24"'));
  expect(files.texts.get(path)).toBe("1");
});

test("a lease in use is set, remembered, and taken away", async () => {
  const { kernel, files, apply } = machine();
  const leases = new Map([["eth0", { lease: lease(), metric: 1002 }]]);
  expect(await apply("", { leases })).toMatchObject({ problems: [] });
  expect(kernel.addresses).toMatchObject([{ address: "10.0.2.15", validSeconds: 3600 }]);
  expect(files.texts.get("/run/node0/network.json")).toContain("10.0.2.15");
  await apply("");
  expect(kernel.addresses).toEqual([]);
  expect(kernel.routes).toEqual([]);
});
