import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DIRECTORY, missingForLab, NetworkLab } from "./support/network-lab.ts";
import { isDone, isRetrying } from "./support/network-lab-agent.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`network-dhcp is skipped: ${missing}`);

const node = process.execPath;

describe.skipIf(missing !== undefined)("DHCP from a real server", () => {
  let lab: NetworkLab;
  beforeEach(async () => {
    lab = await NetworkLab.open();
  });
  afterEach(() => lab.close());

  const clientPid = (): string => lab.read(`${DIRECTORY}/v0.pid`).trim();
  const address = (): string => lab.addresses("v0")[0] ?? "";

  test("a lease sets address, default route and name server, and is told in one line", async () => {
    lab.plug();
    lab.startServer();
    const { reason } = await lab.startAgent().until(isDone);
    expect(reason).toBe(`v0 ${address()} by DHCP, gateway 10.9.0.1`);
    expect(address()).toMatch(/^10\.9\.0\.\d+\/24$/);
    expect(lab.node("ip", "route")).toMatch(/^default via 10\.9\.0\.1 dev v0 .*metric 10\d\d/m);
    expect(lab.read(`${DIRECTORY}/resolv.conf`)).toBe("nameserver 10.9.0.1\n");
  });

  test("an address lives as long as its lease", async () => {
    lab.plug();
    lab.startServer();
    await lab.startAgent().until(isDone);
    const [, seconds] =
      /valid_lft (\d+)sec/.exec(lab.node("ip", "-4", "address", "show", "v0")) ?? [];
    expect(Number(seconds)).toBeGreaterThan(60);
    expect(Number(seconds)).toBeLessThanOrEqual(120);
  });

  test("the client survives the agent, and the next agent takes it over", async () => {
    lab.plug();
    lab.startServer();
    const first = lab.startAgent();
    await first.until(isDone);
    const before = { pid: clientPid(), address: address() };
    await first.kill();
    const { attempts } = await lab.startAgent().until(isDone);
    expect(attempts).toBe(1);
    expect({ pid: clientPid(), address: address() }).toEqual(before);
  });

  test("a client that was killed is replaced, and the address stays meanwhile", async () => {
    lab.plug();
    lab.startServer();
    const agent = lab.startAgent();
    await agent.until(isDone);
    const before = { pid: clientPid(), address: address() };
    const removals = lab
      .node("sh", "-c", "ip monitor address >/run/removals 2>&1 & echo $!")
      .trim();
    lab.node("kill", "-KILL", before.pid);
    await expect.poll(clientPid, { timeout: 10_000 }).not.toBe(before.pid);
    const owner = (): string =>
      /^client=(\d+)$/m.exec(lab.read(`${DIRECTORY}/v0.lease`))?.[1] ?? "";
    await expect.poll(owner, { timeout: 10_000 }).toBe(clientPid());
    lab.node("kill", removals);
    expect(address()).toBe(before.address);
    expect(lab.read("/run/removals")).not.toContain("Deleted");
  });

  test("without a server the phase says so, and goes on when one appears", async () => {
    lab.plug();
    const agent = lab.startAgent();
    const { reason } = await agent.until(isRetrying);
    expect(reason).toMatch(/^v0: no DHCP answer after \d s$/);
    lab.startServer();
    expect((await agent.until(isDone)).attempts).toBeGreaterThan(1);
  });

  test("without a cable the phase says so, and goes on when it is plugged in", async () => {
    lab.startServer();
    const agent = lab.startAgent();
    expect((await agent.until(isRetrying)).reason).toBe("v0: no carrier");
    lab.plug();
    expect((await agent.until(isDone)).reason).toContain("by DHCP");
  });

  test("an interface that is plugged in later is found and used", async () => {
    lab.node("ip", "link", "delete", "v0");
    const agent = lab.startAgent();
    expect((await agent.until(isRetrying)).reason).toBe("no network interface found");
    lab.node(..."ip link add v0 type veth peer name s0 netns server".split(" "));
    lab.server("ip", "address", "add", "10.9.0.1/24", "dev", "s0");
    lab.plug();
    lab.startServer();
    expect((await agent.until(isDone)).reason).toMatch(/^v0 10\.9\.0\.\d+\/24 by DHCP/);
  });

  test("a cable that is pulled puts the phase back to retrying, and back in makes it done", async () => {
    lab.plug();
    lab.startServer();
    const agent = lab.startAgent();
    await agent.until(isDone);
    lab.unplug();
    expect((await agent.until(isRetrying)).reason).toBe("v0: no carrier");
    lab.plug();
    await agent.until(isDone);
    expect(address()).toMatch(/^10\.9\.0\./);
  });

  test("a client started before the agent is taken over", async () => {
    lab.plug();
    lab.startServer();
    lab.runEarlyNetwork("v0");
    await expect.poll(clientPid, { timeout: 10_000 }).not.toBe("");
    const early = clientPid();
    await lab.startAgent().until(isDone);
    expect(clientPid()).toBe(early);
    expect(lab.node("pgrep", "-f", "^busybox udhcpc").trim()).toBe(early);
  });

  test("an interface that is to be left alone stays down", async () => {
    lab.plug();
    lab.node("ip", "link", "add", "v1", "type", "veth", "peer", "name", "v2");
    lab.startServer();
    await lab.startAgent({ noAutoNic: ["v1", "v2"] }).until(isDone);
    expect(lab.read("/sys/class/net/v0/flags").trim()).toBe("0x1003");
    expect(lab.read("/sys/class/net/v1/flags").trim()).toBe("0x1002");
  });

  test("a probe that nobody answers keeps the phase retrying, one that is accepted ends it", async () => {
    lab.plug();
    lab.startServer();
    const agent = lab.startAgent({
      probes: [{ host: "10.9.0.1", port: 8053 }],
      retryMs: 300,
    });
    expect((await agent.until(isRetrying)).reason).toMatch(
      /^v0: 10\.9\.0\.\d+\/24 by DHCP, but 10\.9\.0\.1:8053: /,
    );
    const answer = "require('net').createServer((socket) => socket.end()).listen(8053)";
    lab.server("setsid", "--fork", "sh", "-c", `exec "$0" -e "$1" >/dev/null 2>&1`, node, answer);
    await agent.until(isDone);
  });
});
