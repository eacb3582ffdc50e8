import { afterEach, describe, expect, test } from "vitest";
import type { NetworkStatus } from "../../src/network/status.ts";
import { missingForLab, NetworkLab } from "./support/network-lab.ts";
import { isDone, isRetrying } from "./support/network-lab-agent.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`network-many is skipped: ${missing}`);

describe.skipIf(missing !== undefined)("a node with many interfaces", () => {
  let lab: NetworkLab;
  afterEach(() => lab.close());

  /** Interfaces on which anything was tried. */
  const triedOn = ({ interfaces }: NetworkStatus): string[] =>
    interfaces
      .filter(({ tried }) => tried.some(({ reason }) => !reason.startsWith("left out")))
      .map(({ name }) => name);

  test("without carrier on thirty of them decides as if they were not there", async () => {
    const decide = async (): Promise<{ status: NetworkStatus; seconds: number }> => {
      const beginMs = performance.now();
      const agent = lab.startAgent({ limits: { carrierMs: 30_000, dhcpMs: 30_000 } });
      await agent.until(isDone);
      const seconds = (performance.now() - beginMs) / 1000;
      const status = await agent.status();
      await agent.kill();
      return { status, seconds };
    };
    lab = await NetworkLab.open(2);
    for (const number of [0, 1]) lab.cable(number).plug();
    lab.cable(1).startDhcp();
    const two = await decide();
    await lab.close();
    lab = await NetworkLab.open(2);
    lab.addDark(30);
    for (const number of [0, 1]) lab.cable(number).plug();
    lab.cable(1).startDhcp();
    const many = await decide();
    console.log(`decided after ${two.seconds.toFixed(2)} s and ${many.seconds.toFixed(2)} s`);
    expect(many.status.interfaces).toHaveLength(32);
    expect(triedOn(many.status)).toEqual(["v1"]);
    expect(triedOn(two.status)).toEqual(["v1"]);
  });

  test("four that are dead cost one head start and not four times the limit of DHCP", async () => {
    lab = await NetworkLab.open(5);
    for (const number of [0, 1, 2, 3, 4]) lab.cable(number).plug();
    lab.cable(4).startDhcp();
    const agent = lab.startAgent({ limits: { dhcpMs: 30_000 } });
    expect((await agent.until(isDone)).reason).toMatch(/^v4 /);
    // Nobody waited for the limit of any of them.
    expect(triedOn(await agent.status())).toEqual(["v4"]);
  });

  test("names the first four and how many more there are", async () => {
    lab = await NetworkLab.open(1);
    lab.addDark(5);
    const { reason } = await lab.startAgent({ limits: { carrierMs: 100 } }).until(isRetrying);
    expect(reason).toMatch(/^(\w\d: no carrier; ){4}and 2 more$/);
  });

  test("two of net.toml, the first one without a cable: the route of the second is used", async () => {
    lab = await NetworkLab.open(2);
    const fixed = (number: number): string =>
      `[interface.v${number}]\nprotocol = "static"\n[static.v${number}]\n` +
      `ip = "10.9.${number}.5/24"\ngateway = "10.9.${number}.1"\n`;
    lab.configure(fixed(0) + fixed(1));
    lab.cable(0).plug();
    lab.cable(1).plug();
    const agent = lab.startAgent();
    expect((await agent.until(isDone)).reason).toContain("v0 10.9.0.5/24 from net.toml");
    lab.cable(0).unplug();
    expect((await agent.until(isDone)).reason).toContain("v1 10.9.1.5/24 from net.toml");
    expect(lab.node("ip", "route", "get", "203.0.113.1")).toContain("dev v1");
  });

  test("a link that flaps starts the search once a second at most", async () => {
    lab = await NetworkLab.open();
    lab.plug();
    lab.startServer();
    const agent = lab.startAgent({ limits: { eventsAfterUpMs: 0, carrierLostMs: 0 } });
    await agent.until(isDone);
    const script =
      "i=0; while [ $i -lt 300 ]; do ip link set s0 down; ip link set s0 up; i=$((i+1)); done";
    const beginMs = performance.now();
    const before = await agent.usage();
    lab.server("sh", "-c", script);
    const seconds = (performance.now() - beginMs) / 1000;
    const after = await agent.usage();
    await agent.until(isDone);
    const { round } = await agent.status();
    console.log(`${round} rounds, ${after.cpuMs - before.cpuMs} ms in ${seconds.toFixed(2)} s`);
    expect(round).toBeLessThanOrEqual(3 + Math.ceil(seconds));
    expect(lab.addresses("v0")).toHaveLength(1);
  });
});
