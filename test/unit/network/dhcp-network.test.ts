import { expect, test } from "vitest";
import { DhcpNetwork, type DhcpNetworkOptions } from "../../../src/network/dhcp-network.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";
import { FakeDhcp, FakeLinks, fakeLink } from "../../fakes/network.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { settle } from "../../fakes/turns.ts";

function setUp(names: string[], over: Partial<DhcpNetworkOptions> = {}) {
  const clock = new FakeClock();
  const links = new FakeLinks();
  const dhcp = new FakeDhcp();
  const files = new MemoryFiles();
  const log = new QuietLog();
  for (const name of names) links.add(fakeLink(name));
  const network = new DhcpNetwork({
    clock,
    files,
    links,
    dhcp,
    log,
    probe: async () => true,
    probes: [],
    noAutoNic: [],
    ...over,
  });
  const reasons: string[] = [];
  const controller = new AbortController();
  const bringUp = (attempt = 1): Promise<string> =>
    network.bringUp({
      attempt,
      signal: controller.signal,
      setReason: (text) => reasons.push(text),
      progress: () => {},
    });
  /** Advances in steps, so that what is woken by a timer can set the next one. */
  const pass = async (spanMs: number): Promise<void> => {
    for (let passed = 0; passed < spanMs; passed += 50) {
      await settle();
      clock.advance(50);
    }
    await settle();
  };
  const answer = (name: string, address: string, gateway: string): void => {
    links.routes.push({ interface: name, gateway, metric: 1000 });
    dhcp.answer(name, address, { gateway, dns: gateway });
  };
  return { clock, links, dhcp, files, log, network, reasons, bringUp, pass, answer, controller };
}

test("a link with carrier gets a client at once and the lease ends the waiting at once", async () => {
  const { bringUp, links, dhcp, answer, clock, files } = setUp(["eth0"]);
  links.plugged.add("eth0");
  const reached = bringUp();
  await settle();
  expect(dhcp.starts).toEqual(["eth0"]);
  answer("eth0", "10.0.2.15", "10.0.2.2");
  expect(await reached).toBe("eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2");
  expect(clock.monotonicMs()).toBe(0);
  expect(files.readText("/etc/resolv.conf")).toBe("nameserver 10.0.2.2\n");
});

test("a route whose lease is not written down yet is waited for, not guessed about", async () => {
  const { bringUp, links, answer, pass } = setUp(["eth0"]);
  links.plugged.add("eth0");
  const reached = bringUp();
  links.routes.push({ interface: "eth0", gateway: "10.0.2.2", metric: 1002 });
  await pass(500);
  answer("eth0", "10.0.2.15", "10.0.2.2");
  expect(await reached).toContain("10.0.2.15/24 by DHCP");
});

test("a default route that somebody else set is enough after a while", async () => {
  const { bringUp, links, pass } = setUp(["eth0"]);
  links.plugged.add("eth0");
  links.routes.push({ interface: "eth0", gateway: "10.0.2.2", metric: 0 });
  const reached = bringUp();
  await pass(3200);
  expect(await reached).toBe("eth0 configured elsewhere, gateway 10.0.2.2");
});

test("an interface without carrier costs no time beside one that works", async () => {
  const { bringUp, links, dhcp, answer, clock } = setUp(["eth0", "eth1"]);
  links.plugged.add("eth1");
  const reached = bringUp();
  await settle();
  expect(dhcp.starts).toEqual(["eth1"]);
  answer("eth1", "10.0.2.15", "10.0.2.2");
  await reached;
  expect(clock.monotonicMs()).toBe(0);
});

test("without carrier the attempt fails after the time of auto-negotiation, and says so", async () => {
  const { bringUp, pass, reasons } = setUp(["eth0"]);
  const failed = expect(bringUp()).rejects.toThrow(/^eth0: no carrier$/);
  await pass(2900);
  expect(new Set(reasons)).toEqual(new Set(["waiting for carrier on eth0"]));
  await pass(200);
  await failed;
});

test("without any interface the attempt fails and says so", async () => {
  const { bringUp, pass } = setUp([]);
  const failed = expect(bringUp()).rejects.toThrow(/^no network interface found$/);
  await pass(3200);
  await failed;
});

test("a machine whose interfaces are all to be left alone says so", async () => {
  const { bringUp, links, pass } = setUp(["eth0"], { noAutoNic: ["eth0"] });
  const failed = expect(bringUp()).rejects.toThrow("noautonic= names every network interface");
  await pass(3200);
  await failed;
  expect(links.setUpCalls).toEqual([]);
});

test("carrier that comes late is still used in the same attempt", async () => {
  const { bringUp, links, dhcp, answer, pass } = setUp(["eth0"]);
  const reached = bringUp();
  await pass(2000);
  links.plugged.add("eth0");
  await pass(100);
  expect(dhcp.starts).toEqual(["eth0"]);
  answer("eth0", "10.0.2.15", "10.0.2.2");
  expect(await reached).toContain("10.0.2.15/24");
});

test("a server that does not answer fails the attempt after 15 s", async () => {
  const { bringUp, links, pass } = setUp(["eth0"]);
  links.plugged.add("eth0");
  const failed = expect(bringUp()).rejects.toThrow(/^eth0: no DHCP answer after 15 s$/);
  await pass(15_200);
  await failed;
});

test("later attempts do not hide why the last one failed", async () => {
  const { bringUp, pass, reasons } = setUp(["eth0"]);
  const failed = expect(bringUp(2)).rejects.toThrow("no carrier");
  await pass(3200);
  await failed;
  expect(reasons).toEqual([]);
});

test("a client of an earlier agent is taken over, not started again", async () => {
  const { bringUp, links, dhcp, answer } = setUp(["eth0"]);
  links.plugged.add("eth0");
  dhcp.running.add("eth0");
  answer("eth0", "10.0.2.15", "10.0.2.2");
  expect(await bringUp()).toContain("10.0.2.15/24");
  expect(dhcp.starts).toEqual([]);
  expect(dhcp.renewals).toEqual([]);
});

test("a client that ends is started again, once a second at most", async () => {
  const { bringUp, links, dhcp, pass, controller } = setUp(["eth0"]);
  links.plugged.add("eth0");
  bringUp().catch(() => {});
  await settle();
  dhcp.running.clear();
  await pass(900);
  expect(dhcp.starts).toHaveLength(1);
  await pass(200);
  expect(dhcp.starts).toHaveLength(2);
  controller.abort(new Error("over"));
});

test("an interface that cannot be set up is logged and does not hold up the others", async () => {
  const { bringUp, links, answer, log } = setUp(["eth0", "eth1"]);
  links.failing.add("eth0");
  links.plugged.add("eth1");
  const reached = bringUp();
  await settle();
  answer("eth1", "10.0.2.15", "10.0.2.2");
  await reached;
  expect(log.lines[0]).toEqual([
    "warn",
    "interface cannot be set up",
    { interface: "eth0", cause: "EBUSY" },
  ]);
});

test("with probes, a default route is not enough: one of them must answer", async () => {
  const answers = new Map([
    ["a", false],
    ["b", false],
  ]);
  const probes = [
    { host: "a", port: 1 },
    { host: "b", port: 2 },
  ];
  const { bringUp, links, answer } = setUp(["eth0"], {
    probes,
    probe: async ({ host }) => answers.get(host) ?? false,
  });
  links.plugged.add("eth0");
  answer("eth0", "10.0.2.15", "10.0.2.2");
  await expect(bringUp()).rejects.toThrow(/^no answer from a:1, b:2$/);
  answers.set("b", true);
  expect(await bringUp()).toContain("10.0.2.15/24");
});

test("cancelling ends an attempt", async () => {
  const { bringUp, controller, clock } = setUp(["eth0"]);
  const failed = expect(bringUp()).rejects.toThrow("reboot takes over");
  await settle();
  controller.abort(new Error("reboot takes over"));
  await failed;
  expect(clock.pendingTimers).toBe(0);
});

test("a cable that is plugged in between two attempts is noticed within a second", async () => {
  const { bringUp, network, links, pass, controller } = setUp(["eth0"]);
  const failed = expect(bringUp()).rejects.toThrow("no carrier");
  await pass(3200);
  await failed;
  let hasChanged = false;
  void network.changed(controller.signal).then(() => {
    hasChanged = true;
  });
  await pass(5000);
  expect(hasChanged).toBe(false);
  links.plugged.add("eth0");
  await pass(1000);
  expect(hasChanged).toBe(true);
});

test("losing the last usable route is reported with its reason, and the cable back asks again", async () => {
  const { bringUp, network, links, dhcp, answer, pass, controller } = setUp(["eth0"]);
  links.plugged.add("eth0");
  const reached = bringUp();
  await settle();
  answer("eth0", "10.0.2.15", "10.0.2.2");
  await reached;
  const losses: string[] = [];
  network.watch((reason) => losses.push(reason), controller.signal);
  await pass(5000);
  expect(losses).toEqual([]);
  links.plugged.delete("eth0");
  await pass(1100);
  expect(losses).toEqual(["eth0: no carrier"]);
  links.plugged.add("eth0");
  expect(await bringUp(2)).toContain("10.0.2.15/24");
  expect(dhcp.renewals).toEqual(["eth0"]);
  controller.abort();
});

test("while one interface works, another one that gets carrier later gets a client too", async () => {
  const { bringUp, network, links, dhcp, answer, pass, controller } = setUp(["eth0", "eth1"]);
  links.plugged.add("eth0");
  const reached = bringUp();
  await settle();
  answer("eth0", "10.0.2.15", "10.0.2.2");
  await reached;
  network.watch(() => {}, controller.signal);
  links.plugged.add("eth1");
  await pass(1100);
  expect(dhcp.starts).toEqual(["eth0", "eth1"]);
  controller.abort();
});

test("name servers that cannot be written do not cost the network", async () => {
  const { bringUp, links, answer, files, log } = setUp(["eth0"]);
  files.failing.set("/etc/resolv.conf", "EROFS");
  links.plugged.add("eth0");
  answer("eth0", "10.0.2.15", "10.0.2.2");
  expect(await bringUp()).toContain("10.0.2.15/24");
  expect(log.lines.map(([, message]) => message)).toEqual(["name servers cannot be written"]);
});
