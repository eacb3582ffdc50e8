import { expect, test } from "vitest";
import type { InterfaceRole } from "../../../src/network/interface-roles.ts";
import { judgeNetwork, type NetworkBasis } from "../../../src/network/judge-network.ts";
import { parseLease } from "../../../src/network/lease.ts";
import type { InterfaceView, NetworkView } from "../../../src/network/network-view.ts";
import type { AddressState } from "../../../src/sys/network-state.ts";

const address = (text: string, over: Partial<AddressState> = {}): AddressState => ({
  interface: "eth0",
  family: text.includes(":") ? 6 : 4,
  address: text,
  prefix: 24,
  scope: "global",
  isTentative: false,
  isDuplicate: false,
  validSeconds: null,
  protocol: 0,
  ...over,
});

const eth0 = (over: Partial<InterfaceView> = {}): InterfaceView => ({
  name: "eth0",
  index: 2,
  mac: "52:54:00:00:00:01",
  isPhysical: true,
  isUp: true,
  hasCarrier: true,
  kind: "device",
  mtu: 1500,
  master: null,
  addresses: [address("10.0.2.15")],
  lease: parseLease("interface=eth0\naddress=10.0.2.15\nprefix=24\ngateway=10.0.2.2\nend=1\n"),
  ...over,
});

const view = (one: InterfaceView | undefined, over: Partial<NetworkView> = {}): NetworkView => ({
  interfaces: one === undefined ? [] : [one],
  defaultRoutes: [{ family: 4, interface: "eth0", gateway: "10.0.2.2", metric: 1002 }],
  state: { links: [], addresses: [], routes: [] },
  ...over,
});

const BY_DHCP: NetworkBasis = { choice: { method: "dhcp", interface: "eth0" }, via: "eth0" };
const BY_CONFIG: NetworkBasis = { choice: { method: "config" }, via: null };
const BY_FALLBACK: NetworkBasis = {
  choice: { method: "fallback", interface: "eth0", address: "10.254.254.9" },
  via: "eth0",
};

test("a lease with its address and route stands", () => {
  expect(judgeNetwork(BY_DHCP, view(eth0()), [])).toEqual({ state: "up" });
});

test("without carrier it is dark, without the interface it is lost", () => {
  const dark = judgeNetwork(BY_DHCP, view(eth0({ hasCarrier: false })), []);
  expect(dark).toEqual({ state: "dark", reason: "eth0: no carrier" });
  const gone = judgeNetwork(BY_DHCP, view(undefined), []);
  expect(gone).toEqual({ state: "lost", reason: "eth0: the interface is gone" });
});

test("an ended lease is a loss, unless there are addresses without it", () => {
  const ended = eth0({ lease: undefined, addresses: [] });
  expect(judgeNetwork(BY_DHCP, view(ended), [])).toMatchObject({ state: "lost" });
  const slaac = eth0({ lease: undefined, addresses: [address("2001:db8::5")] });
  const routes = [{ family: 6, interface: "eth0", gateway: "fe80::1", metric: 1024 }] as const;
  expect(judgeNetwork(BY_DHCP, view(slaac, { defaultRoutes: routes }), [])).toEqual({
    state: "up",
  });
});

test("addresses that duplicate detection has not let through count for nothing", () => {
  const tentative = address("2001:db8::5", { isTentative: true });
  const one = eth0({ lease: undefined, addresses: [tentative] });
  const routes = [{ family: 6, interface: "eth0", gateway: "fe80::1", metric: 1024 }] as const;
  const verdict = judgeNetwork(BY_DHCP, view(one, { defaultRoutes: routes }), []);
  expect(verdict).toMatchObject({ state: "lost" });
});

test("a default route that was there and does not come back is a loss", () => {
  const verdict = judgeNetwork(BY_DHCP, view(eth0(), { defaultRoutes: [] }), []);
  expect(verdict).toEqual({ state: "lost", reason: "eth0: the default route is gone" });
});

test("the fallback address must be there, a default route need not", () => {
  const held = eth0({ lease: undefined, addresses: [address("10.254.254.9")] });
  expect(judgeNetwork(BY_FALLBACK, view(held, { defaultRoutes: [] }), [])).toEqual({ state: "up" });
  expect(judgeNetwork(BY_FALLBACK, view(eth0()), [])).toMatchObject({ state: "lost" });
});

test("net.toml without a default route stands while one of its interfaces has carrier", () => {
  const role = (name: string, hasCarrier: boolean): InterfaceRole => ({
    view: eth0({ name, hasCarrier }),
    protocol: "static",
    section: {
      name,
      mac: null,
      protocol: "static",
      addresses: [],
      gateways: [],
      routes: [],
      dns: { servers: [], search: [] },
      mtu: null,
      ipv6: "none",
      virtual: null,
    },
    wantsDhcp: false,
    isCandidate: true,
  });
  const judge = (...roles: InterfaceRole[]) => judgeNetwork(BY_CONFIG, view(eth0()), roles);
  expect(judge(role("eth0", false), role("eth1", true))).toEqual({ state: "up" });
  expect(judge(role("eth0", false), role("eth1", false))).toEqual({
    state: "dark",
    reason: "eth0, eth1: no carrier",
  });
});
