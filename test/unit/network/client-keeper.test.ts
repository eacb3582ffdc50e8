import { expect, test } from "vitest";
import { ClientKeeper } from "../../../src/network/client-keeper.ts";
import type { InterfaceView } from "../../../src/network/network-view.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeDhcp } from "../../fakes/network.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

function setUp() {
  const clock = new FakeClock();
  const dhcp = new FakeDhcp();
  const log = new QuietLog();
  const keeper = new ClientKeeper({ clock, dhcp, log });
  const keep = (name: string, hasCarrier = true): Promise<void> =>
    keeper.keep([view(name, hasCarrier, dhcp)]);
  return { clock, dhcp, log, keeper, keep };
}

const view = (name: string, hasCarrier: boolean, dhcp: FakeDhcp): InterfaceView => ({
  name,
  index: 2,
  mac: "52:54:00:00:00:01",
  isPhysical: true,
  isUp: true,
  hasCarrier,
  kind: "device",
  mtu: 1500,
  master: null,
  addresses: [],
  lease: dhcp.lease(name),
});

test("a client runs where there is carrier, and only there", async () => {
  const { dhcp, keeper, keep } = setUp();
  await keep("eth0");
  await keep("eth1", false);
  expect(dhcp.starts).toEqual(["eth0"]);
  expect(keeper.askingSinceMs("eth0")).toBe(0);
  expect(keeper.askingSinceMs("eth1")).toBeNull();
});

test("a client that ends is started again, once a second at most", async () => {
  const { clock, dhcp, keep } = setUp();
  await keep("eth0");
  dhcp.running.clear();
  clock.advance(900);
  await keep("eth0");
  expect(dhcp.starts).toHaveLength(1);
  clock.advance(100);
  await keep("eth0");
  expect(dhcp.starts).toHaveLength(2);
});

test("one of an earlier agent is taken over and asked nothing", async () => {
  const { dhcp, keep } = setUp();
  dhcp.running.add("eth0");
  await keep("eth0");
  expect(dhcp.starts).toEqual([]);
  expect(dhcp.renewals).toEqual([]);
});

test("where the cable comes back the client asks again", async () => {
  const { dhcp, keep } = setUp();
  await keep("eth0");
  await keep("eth0", false);
  expect(dhcp.renewals).toEqual([]);
  await keep("eth0");
  expect(dhcp.renewals).toEqual(["eth0"]);
});

test("another round gives a client that goes on asking its whole time again", async () => {
  const { clock, keeper, keep } = setUp();
  await keep("eth0");
  clock.advance(15_000);
  keeper.beginRound();
  await keep("eth0");
  expect(keeper.askingSinceMs("eth0")).toBe(15_000);
});

test("it is remembered since when there is a lease", async () => {
  const { clock, dhcp, keeper, keep } = setUp();
  await keep("eth0");
  clock.advance(300);
  dhcp.answer("eth0", "10.0.2.15");
  await keep("eth0");
  clock.advance(300);
  await keep("eth0");
  expect(keeper.leaseSinceMs("eth0")).toBe(300);
  dhcp.end("eth0");
  await keep("eth0");
  expect(keeper.leaseSinceMs("eth0")).toBeNull();
});

test("a client that cannot be started does not hold up the others", async () => {
  const { dhcp, log, keeper } = setUp();
  dhcp.start = async (name) => {
    if (name === "eth0") throw new Error("ENOENT");
    dhcp.running.add(name);
  };
  await keeper.keep([view("eth0", true, dhcp), view("eth1", true, dhcp)]);
  expect([...dhcp.running]).toEqual(["eth1"]);
  expect(log.lines[0]).toEqual([
    "warn",
    "DHCP client cannot be started",
    { interface: "eth0", cause: "ENOENT" },
  ]);
});

test("only clients that run are ended", async () => {
  const { dhcp, keeper, keep } = setUp();
  await keep("eth0");
  await keeper.stop(["eth0", "eth1"]);
  expect(dhcp.stops).toEqual(["eth0"]);
});
