import { expect, test } from "vitest";
import {
  describeReached,
  describeTrouble,
  describeWaiting,
  type InterfaceView,
  selectLinks,
  usableRoute,
} from "../../../src/network/interface-view.ts";
import type { Link } from "../../../src/sys/links.ts";
import { fakeLink } from "../../fakes/network.ts";

const UP = { isUp: true, hasCarrier: true };
const LEASE = {
  interface: "eth0",
  address: "10.0.2.15",
  prefix: 24,
  gateway: "10.0.2.2",
  routes: [],
  dns: [],
  search: [],
  ntp: [],
  hostname: null,
  mtu: null,
  leaseSeconds: null,
  obtainedMs: null,
  server: "",
};

function view(name: string, link: Partial<Link>, more: Partial<InterfaceView> = {}): InterfaceView {
  return { link: fakeLink(name, link), lease: undefined, askingSinceMs: null, ...more };
}

test("interfaces without device and those of noautonic= are left alone", () => {
  const links = [fakeLink("eth0"), fakeLink("eth1"), fakeLink("br0", { isPhysical: false })];
  expect(selectLinks(links, { noAutoNic: ["eth1"] }).map(({ name }) => name)).toEqual(["eth0"]);
});

test("a default route over an interface without carrier is of no use", () => {
  const routes = [
    { interface: "eth0", gateway: "10.0.0.1", metric: 1 },
    { interface: "eth1", gateway: "10.1.0.1", metric: 2 },
  ];
  const views = [view("eth0", { isUp: true }), view("eth1", UP)];
  expect(usableRoute(views, routes)?.interface).toBe("eth1");
  expect(usableRoute([view("eth0", { isUp: true })], routes)).toBeUndefined();
});

test("what was reached names the interface of the route first", () => {
  const views = [
    view("eth0", UP, { lease: LEASE }),
    view("eth1", UP, { lease: { ...LEASE, address: "10.9.0.2" } }),
    view("eth2", { isUp: true }),
  ];
  const route = { interface: "eth1", gateway: "10.9.0.1", metric: 1 };
  expect(describeReached(views, route)).toBe(
    "eth1 10.9.0.2/24 by DHCP, gateway 10.9.0.1; eth0 10.0.2.15/24 by DHCP",
  );
  expect(describeReached(views.slice(2), route)).toBe(
    "eth1 configured elsewhere, gateway 10.9.0.1",
  );
});

test.each<[string, InterfaceView[]]>([
  ["no network interface found", []],
  ["eth0: cannot be set up", [view("eth0", {})]],
  ["eth0: no carrier", [view("eth0", { isUp: true })]],
  ["eth0: no DHCP answer after 15 s", [view("eth0", UP, { askingSinceMs: 5000 })]],
  ["eth0: 10.0.2.15 by DHCP, but no default route", [view("eth0", UP, { lease: LEASE })]],
  [
    "eth0: no carrier; eth1: no DHCP answer after 20 s",
    [view("eth0", { isUp: true }), view("eth1", UP, { askingSinceMs: 0 })],
  ],
  [
    "eth0: no carrier; eth1: no carrier; eth2: no carrier; eth3: no carrier; and 2 more",
    ["eth0", "eth1", "eth2", "eth3", "eth4", "eth5"].map((name) => view(name, { isUp: true })),
  ],
])("trouble in plain words: %s", (text, views) => {
  expect(describeTrouble(views, 20_000)).toBe(text);
});

test.each<[string, InterfaceView[]]>([
  ["waiting for a network interface", []],
  ["waiting for carrier on eth0, eth1", [view("eth0", {}), view("eth1", { isUp: true })]],
  ["waiting for a DHCP answer on eth1", [view("eth0", {}), view("eth1", UP)]],
])("what is waited for: %s", (text, views) => {
  expect(describeWaiting(views)).toBe(text);
});
