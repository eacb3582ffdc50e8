import { expect, test } from "vitest";
import { DEFAULT_NETWORK_CONFIG, type InterfaceConfig } from "../../../src/config/network-types.ts";
import { CONTROLLER, FakeNode } from "../../fakes/node-network.ts";

const WITH_CONTROLLER = { ...DEFAULT_NETWORK_CONFIG, controllers: [CONTROLLER] };

const fixed = (name: string, address: string, gateway: string): InterfaceConfig => ({
  name,
  mac: null,
  protocol: "static",
  addresses: [{ address, prefix: 24 }],
  gateways: [gateway],
  routes: [],
  dns: { servers: [], search: [] },
  mtu: null,
  ipv6: "none",
  virtual: null,
});

/** A node whose first interface has a lease of a client that started with the machine. */
function early(): FakeNode {
  const node = new FakeNode();
  node.addCards("eth0", "eth1");
  node.plug("eth0", "eth1");
  node.links.setUp("eth0");
  node.links.setUp("eth1");
  node.dhcp.running.add("eth0").add("eth1");
  node.dhcp.setInUse("eth0", 1001);
  return node;
}

test("a lease of the machine's start is used without loading netlink", async () => {
  const node = early();
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  expect(await node.bringUp()).toBe("eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2");
  expect(node.kernelLoads).toBe(0);
  expect(node.dhcp.starts).toEqual([]);
  expect(node.clock.monotonicMs()).toBe(0);
  expect(node.files.readText("/etc/resolv.conf")).toBe("nameserver 10.0.2.2\n");
  expect(node.network.status()).toMatchObject({ state: "up", method: "dhcp", round: 1 });
});

test("a lease that comes a moment later is used without loading netlink", async () => {
  const node = early();
  const reached = node.bringUp();
  await node.pass(200);
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  expect(await reached).toContain("eth0 10.0.2.15/24 by DHCP");
  expect(node.kernelLoads).toBe(0);
});

test("clients that are not needed any more are ended", async () => {
  const node = early();
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  await node.bringUp();
  expect(node.dhcp.stops).toEqual(["eth1"]);
});

test("all ask at the same time, the first one with a controller behind it is used", async () => {
  const node = new FakeNode();
  node.config = WITH_CONTROLLER;
  node.addCards("eth0", "eth1", "eth2");
  node.plug("eth0", "eth1", "eth2");
  node.ways.add("eth1");
  const reached = node.bringUp();
  await node.turn();
  expect(node.dhcp.starts).toEqual(["eth0", "eth1", "eth2"]);
  for (const at of [0, 1, 2]) node.give(`eth${at}`, `10.0.${at}.15`, `10.0.${at}.1`);
  expect(await reached).toBe(
    "eth1 10.0.1.15/24 by DHCP, gateway 10.0.1.1, https://controller.example reached",
  );
  expect(node.checks).toEqual(["eth0", "eth1"]);
  expect(node.addresses("eth0")).toEqual([]);
  expect(node.addresses("eth2")).toEqual([]);
  expect([...node.dhcp.inUse]).toEqual([["eth1", 1002]]);
});

test("a lease under test wins against a static gateway that leads nowhere", async () => {
  const node = new FakeNode();
  node.config = { ...WITH_CONTROLLER, interfaces: [fixed("eth0", "192.168.1.5", "192.168.1.1")] };
  node.addCards("eth0", "eth1");
  node.plug("eth0", "eth1");
  node.ways.add("eth1");
  const reached = node.bringUp();
  await node.pass(100);
  node.give("eth1", "10.0.1.15", "10.0.1.1");
  await node.pass(2100);
  expect(await reached).toContain("eth1 10.0.1.15/24 by DHCP");
  expect(node.checks).toEqual(["eth0", "eth1"]);
  expect(node.addresses("eth0")).toEqual(["192.168.1.5"]);
  expect(node.dhcp.inUseMetric("eth1")).toBeLessThan(801);
});

test("without any answer the reason names each interface", async () => {
  const node = new FakeNode();
  node.addCards("eth0", "eth1");
  node.plug("eth0");
  const failed = expect(node.bringUp()).rejects.toThrow(
    /^eth0: no DHCP answer after 15 s; eth1: no carrier$/,
  );
  await node.pass(15_300);
  await failed;
  expect(node.reasons).toEqual(["waiting for a DHCP answer on eth0"]);
});

test("without carrier the attempt fails after the time of auto-negotiation, later at once", async () => {
  const node = new FakeNode();
  node.addCards("eth0");
  const failed = expect(node.bringUp()).rejects.toThrow(/^eth0: no carrier$/);
  await node.pass(3100);
  await failed;
  const again = expect(node.bringUp(2)).rejects.toThrow(/^eth0: no carrier$/);
  await node.turn();
  await again;
});

test("without any interface the attempt says so", async () => {
  const node = new FakeNode();
  const failed = expect(node.bringUp()).rejects.toThrow(/^no network interface found$/);
  await node.pass(3100);
  await failed;
});

test("interfaces that noautonic= names are left alone", async () => {
  const node = new FakeNode({ noAutoNic: ["eth0"] });
  node.addCards("eth0");
  node.plug("eth0");
  const failed = expect(node.bringUp()).rejects.toThrow("noautonic= names every network interface");
  await node.pass(3100);
  await failed;
  expect(node.links.setUpCalls).toEqual([]);
  expect(node.dhcp.starts).toEqual([]);
});

test("the fallback address avoids those of others and is defended", async () => {
  const node = new FakeNode({ limits: { dhcpMs: 1000 } });
  node.config = WITH_CONTROLLER;
  node.addCards("eth0");
  node.plug("eth0");
  node.taken.add("10.254.254.1").add("10.254.254.2");
  node.ways.add("fallback eth0");
  const reached = node.bringUp();
  await node.pass(1200);
  expect(await reached).toContain("eth0 10.254.254.3/24 as fallback");
  expect(node.defended).toEqual(["10.254.254.3"]);
});

test("without controllers there is no fallback, and the status says why", async () => {
  const node = new FakeNode({ limits: { dhcpMs: 1000 } });
  node.addCards("eth0");
  node.plug("eth0");
  const failed = expect(node.bringUp()).rejects.toThrow(/^eth0: no DHCP answer after 1 s$/);
  await node.pass(1200);
  await failed;
  expect(node.defended).toEqual([]);
  const [eth0] = node.network.status().interfaces;
  expect(eth0?.tried.at(-1)).toMatchObject({
    method: "fallback",
    reason: "left out: no controller is configured",
  });
});

test("a fallback address that is lost is changed for another one", async () => {
  const node = new FakeNode({ limits: { dhcpMs: 1000, eventsAfterUpMs: 0 } });
  node.config = WITH_CONTROLLER;
  node.addCards("eth0");
  node.plug("eth0");
  node.ways.add("fallback eth0");
  const reached = node.bringUp();
  await node.pass(1200);
  await reached;
  const losses: string[] = [];
  node.network.watch((reason) => losses.push(reason), node.stop.signal);
  await node.pass(500);
  node.loseFallback("02:00:00:00:00:07");
  await node.pass(500);
  expect(node.addresses("eth0")).toEqual(["10.254.254.2"]);
  expect(losses).toEqual([]);
  node.stop.abort();
});

test("the next agent keeps what was found and changes nothing", async () => {
  const node = new FakeNode();
  node.config = { ...WITH_CONTROLLER, interfaces: [fixed("eth0", "192.168.1.5", "192.168.1.1")] };
  node.addCards("eth0", "eth1");
  node.plug("eth0", "eth1");
  node.ways.add("eth1");
  const reached = node.bringUp();
  await node.pass(100);
  node.give("eth1", "10.0.1.15", "10.0.1.1");
  await node.pass(2100);
  await reached;
  node.kernel.takeChanges();
  node.dhcp.starts.length = 0;
  const next = node.restart();
  expect(await node.bringUp(1, next)).toContain("eth1 10.0.1.15/24 by DHCP");
  expect(node.kernel.takeChanges()).toEqual([]);
  expect(node.dhcp.starts).toEqual([]);
});

test("what somebody took away is set again", async () => {
  const node = early();
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  await node.bringUp();
  const losses: string[] = [];
  node.network.watch((reason) => losses.push(reason), node.stop.signal);
  await node.pass(6000);
  node.kernel.addresses = [];
  node.kernel.routes = [];
  node.notice();
  await node.pass(500);
  expect(node.addresses("eth0")).toEqual(["10.0.2.15"]);
  expect(losses).toEqual([]);
  node.stop.abort();
});

test("a short loss of carrier is none, a longer one starts the search again", async () => {
  const node = early();
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  await node.bringUp();
  const losses: string[] = [];
  node.network.watch((reason) => losses.push(reason), node.stop.signal);
  await node.pass(6000);
  node.unplug("eth0");
  await node.pass(1500);
  node.plug("eth0");
  await node.pass(3000);
  expect(losses).toEqual([]);
  node.unplug("eth0");
  await node.pass(2500);
  expect(losses).toEqual(["eth0: no carrier"]);
  expect(node.network.status()).toMatchObject({ state: "searching", reason: "eth0: no carrier" });
  node.stop.abort();
});

test("while the kernel tells of changes nothing is polled", async () => {
  const node = new FakeNode();
  node.addCards("eth0");
  node.plug("eth0");
  node.bringUp().catch(() => {});
  await node.pass(1500);
  const { looks } = node.links;
  await node.pass(10_000);
  expect(node.links.looks).toBe(looks);
  node.stop.abort();
});

test("a lease that has ended starts the search again", async () => {
  const node = early();
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  await node.bringUp();
  const losses: string[] = [];
  node.network.watch((reason) => losses.push(reason), node.stop.signal);
  await node.turn();
  node.dhcp.end("eth0");
  await node.pass(500);
  expect(losses).toEqual(["eth0: the DHCP lease has ended"]);
  node.stop.abort();
});

test("controllers must be silent several times in a row before the network counts as lost", async () => {
  const node = new FakeNode({ limits: { checkMs: 1000, eventsAfterUpMs: 0 } });
  node.config = WITH_CONTROLLER;
  node.addCards("eth0");
  node.plug("eth0");
  node.ways.add("eth0");
  const reached = node.bringUp();
  await node.pass(100);
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  await reached;
  const losses: string[] = [];
  node.network.watch((reason) => losses.push(reason), node.stop.signal);
  node.ways.clear();
  await node.pass(2500);
  node.ways.add("eth0");
  await node.pass(2500);
  expect(losses).toEqual([]);
  node.ways.clear();
  await node.pass(4000);
  expect(losses).toEqual(["https://controller.example: no answer within 5 s"]);
  node.stop.abort();
});

/** A node that is up on eth0 by DHCP; eth1 has a cable too when there is one. */
async function upOnEth0(...others: string[]): Promise<FakeNode> {
  const node = new FakeNode({ limits: { checkMs: 1000, eventsAfterUpMs: 0 } });
  node.config = WITH_CONTROLLER;
  node.addCards("eth0", ...others);
  node.plug("eth0", ...others);
  node.ways.add("eth0");
  const reached = node.bringUp();
  await node.pass(100);
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  await reached;
  return node;
}

test("while its gateway answers, silent controllers take no network from a machine", async () => {
  const node = await upOnEth0();
  const losses: string[] = [];
  node.network.watch((reason) => losses.push(reason), node.stop.signal);
  node.ways.clear();
  node.taken.add("10.0.2.2");
  await node.pass(8000);
  expect(losses).toEqual([]);
  expect(node.network.status().controllers.map(({ isReached }) => isReached)).toEqual([false]);
  node.taken.clear();
  await node.pass(4000);
  expect(losses).toHaveLength(1);
  node.stop.abort();
});

test("with another interface to try, silent controllers start the search, which comes back", async () => {
  const node = await upOnEth0("eth1");
  const losses: string[] = [];
  node.network.watch((reason) => losses.push(reason), node.stop.signal);
  node.ways.clear();
  node.taken.add("10.0.2.2");
  await node.pass(4000);
  expect(losses).toHaveLength(1);
  const again = node.bringUp(2);
  await node.pass(30_000);
  expect(await again).toContain("kept, because gateway 10.0.2.2 answers");
  expect(node.network.status().method).toBe("dhcp");
  node.stop.abort();
});

test("the next agent keeps a network whose controllers are away, and changes nothing", async () => {
  const node = await upOnEth0();
  node.kernel.takeChanges();
  node.ways.clear();
  node.taken.add("10.0.2.2");
  const next = node.restart();
  const kept = node.bringUp(1, next);
  await node.pass(6000);
  expect(await kept).toContain("kept, because gateway 10.0.2.2 answers");
  expect(node.kernel.takeChanges()).toEqual([]);
});

test("a fresh machine takes nothing for good because its gateway answers", async () => {
  const node = new FakeNode();
  node.config = WITH_CONTROLLER;
  node.addCards("eth0");
  node.plug("eth0");
  node.taken.add("10.0.2.2");
  const failed = node.bringUp().then(
    (text) => `reached ${text}`,
    () => "not reached",
  );
  await node.pass(100);
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  await node.pass(60_000);
  expect(await failed).toBe("not reached");
});

test("a cable that is plugged in ends the wait for the next round", async () => {
  const node = new FakeNode();
  node.addCards("eth0");
  const failed = expect(node.bringUp()).rejects.toThrow("no carrier");
  await node.pass(3100);
  await failed;
  let hasChanged = false;
  void node.network.changed(node.stop.signal).then(() => {
    hasChanged = true;
  });
  await node.pass(5000);
  expect(hasChanged).toBe(false);
  node.plug("eth0");
  await node.pass(300);
  expect(hasChanged).toBe(true);
});

test("a configuration with mistakes is refused, a good one is used from the first method on", async () => {
  const node = early();
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  await node.bringUp();
  const losses: string[] = [];
  node.network.watch((reason) => losses.push(reason), node.stop.signal);
  node.problems = ["Cannot use x"];
  expect(await node.network.reload()).toEqual({ isAccepted: false, problems: ["Cannot use x"] });
  expect(losses).toEqual([]);
  node.problems = [];
  node.config = {
    ...DEFAULT_NETWORK_CONFIG,
    interfaces: [fixed("eth0", "10.0.2.99", "10.0.2.2")],
  };
  expect((await node.network.reload()).isAccepted).toBe(true);
  expect(losses).toEqual(["net.toml was read again"]);
  expect(await node.bringUp(2)).toBe("eth0 10.0.2.99/24 from net.toml, gateway 10.0.2.2");
  expect(node.addresses("eth0")).toEqual(["10.0.2.99"]);
  node.stop.abort();
});

test("an interface that cannot be set up does not hold up the others", async () => {
  const node = new FakeNode();
  node.addCards("eth0", "eth1");
  node.plug("eth0", "eth1");
  node.links.failing.add("eth0");
  const reached = node.bringUp();
  await node.turn();
  node.give("eth1", "10.0.1.15", "10.0.1.1");
  expect(await reached).toContain("eth1 10.0.1.15/24 by DHCP");
  expect(node.log.lines.map(([, message]) => message)).toContain("interface cannot be set up");
});

test("name servers that cannot be written do not cost the network", async () => {
  const node = early();
  node.files.failing.set("/etc/resolv.conf", "EROFS");
  node.give("eth0", "10.0.2.15", "10.0.2.2");
  expect(await node.bringUp()).toContain("10.0.2.15/24");
  expect(node.log.lines.map(([, message]) => message)).toEqual(["name servers cannot be written"]);
});

test("cancelling ends a round and leaves no timer behind", async () => {
  const node = new FakeNode();
  node.addCards("eth0");
  node.plug("eth0");
  const failed = expect(node.bringUp()).rejects.toThrow("reboot takes over");
  await node.pass(100);
  node.stop.abort(new Error("reboot takes over"));
  await failed;
  expect(node.clock.pendingTimers).toBe(0);
});
