import { expect, test } from "vitest";
import {
  DEFAULT_NETWORK_CONFIG,
  type InterfaceConfig,
  type NetworkConfig,
} from "../../../src/config/network-types.ts";
import { hasInterfaceConfig, interfaceRoles } from "../../../src/network/interface-roles.ts";
import type { InterfaceView, NetworkView } from "../../../src/network/network-view.ts";
import { FakeKernelNetwork } from "../../fakes/kernel-network.ts";

function viewOf(kernel: FakeKernelNetwork): NetworkView {
  const state = kernel.observe();
  const interfaces = state.links.map(
    (link): InterfaceView => ({
      ...link,
      isPhysical: link.kind === "device",
      addresses: [],
      lease: undefined,
    }),
  );
  return { interfaces, defaultRoutes: [], state };
}

const section = (name: string, over: Partial<InterfaceConfig> = {}): InterfaceConfig => ({
  name,
  mac: null,
  protocol: "dhcp",
  addresses: [],
  gateways: [],
  routes: [],
  dns: { servers: [], search: [] },
  mtu: null,
  ipv6: "slaac",
  virtual: null,
  ...over,
});

function rolesOf(
  kernel: FakeKernelNetwork,
  interfaces: InterfaceConfig[],
  over: Partial<NetworkConfig> & { noAutoNic?: string[] } = {},
) {
  const { noAutoNic = [], ...rest } = over;
  const config = { ...DEFAULT_NETWORK_CONFIG, interfaces, ...rest };
  const { roles, missing } = interfaceRoles(viewOf(kernel), config, noAutoNic);
  return { roles: new Map(roles.map((role) => [role.view.name, role])), missing };
}

function cards(...names: string[]): FakeKernelNetwork {
  const kernel = new FakeKernelNetwork();
  for (const name of names) kernel.addLink(name);
  return kernel;
}

test("hardware that nothing is said of is a candidate and gets no DHCP by net.toml", () => {
  const { roles } = rolesOf(cards("eth0"), []);
  expect(roles.get("eth0")).toMatchObject({
    protocol: "auto",
    isCandidate: true,
    wantsDhcp: false,
  });
});

test("`auto` asks for DHCP where no section says something else", () => {
  const none = section("eth1", { protocol: "none" });
  const { roles } = rolesOf(cards("eth0", "eth1"), [none], { auto: true });
  expect(roles.get("eth0")?.wantsDhcp).toBe(true);
  expect(roles.get("eth1")).toMatchObject({ isCandidate: false, wantsDhcp: false });
});

test("`noautonic=` counts more than net.toml", () => {
  const { roles } = rolesOf(cards("eth0"), [section("eth0")], { noAutoNic: ["eth0"] });
  expect(roles.get("eth0")).toMatchObject({ protocol: "left alone", isCandidate: false });
});

test("bridges of others are left alone, a bond of net.toml is a candidate and its members are not", () => {
  const kernel = cards("eth0", "eth1", "eth2");
  kernel.addLink("br0", { kind: "bridge" });
  kernel.addLink("bond0", { kind: "bond" });
  const members = ["eth0", "eth1"];
  const virtual = { kind: "bond", mode: "active-backup", members, miimonMs: 100 } as const;
  const { roles } = rolesOf(kernel, [section("bond0", { virtual })]);
  const candidates = [...roles.values()].filter(({ isCandidate }) => isCandidate);
  expect(candidates.map(({ view }) => view.name)).toEqual(["eth2", "bond0"]);
  expect(roles.get("br0")?.protocol).toBe("left alone");
  expect(roles.get("bond0")?.wantsDhcp).toBe(true);
});

test("an interface somebody put into a bridge is no candidate", () => {
  const kernel = cards("eth0");
  kernel.addLink("br0", { kind: "bridge" });
  kernel.apply({ op: "link.set", name: "eth0", master: "br0" });
  expect(rolesOf(kernel, []).roles.get("eth0")?.isCandidate).toBe(false);
});

test("a section with a hardware address means the interface that has it", () => {
  const kernel = cards("eth0", "eth1");
  const mac = kernel.links[1]?.mac ?? null;
  const { roles, missing } = rolesOf(kernel, [section("uplink", { mac })]);
  expect(roles.get("eth1")?.section?.name).toBe("uplink");
  expect(missing).toEqual([]);
});

test("a section without its interface is missing, that of the loopback never", () => {
  const { missing } = rolesOf(cards("eth0"), [section("eth7"), section("lo")]);
  expect(missing).toEqual(["eth7"]);
});

test("the first method has something to do when any interface is configured", () => {
  expect(hasInterfaceConfig(DEFAULT_NETWORK_CONFIG)).toBe(false);
  expect(hasInterfaceConfig({ ...DEFAULT_NETWORK_CONFIG, auto: true })).toBe(true);
  expect(hasInterfaceConfig({ ...DEFAULT_NETWORK_CONFIG, interfaces: [section("a")] })).toBe(true);
});
