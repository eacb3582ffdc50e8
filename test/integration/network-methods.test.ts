import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { NetworkMethod, NetworkStatus, TriedMethod } from "../../src/network/status.ts";
import { missingForLab, NetworkLab } from "./support/network-lab.ts";
import { isDone, isRetrying } from "./support/network-lab-agent.ts";
import { type IssuedCertificate, makeCa, type ThrowawayCa } from "./support/throwaway-ca.ts";

const missing = missingForLab("openssl");
if (missing !== undefined) console.log(`network-methods is skipped: ${missing}`);

/** An address of no network of the lab: reached over a default route only. */
const REMOTE = "203.0.113.7";

describe.skipIf(missing !== undefined)("the methods of the network", () => {
  let directory: string;
  let ca: ThrowawayCa;
  let issued: IssuedCertificate;
  let lab: NetworkLab;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "node0-methods-"));
    ca = makeCa(directory);
    issued = ca.issue([REMOTE, "controller.example"]);
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  afterEach(() => lab.close());

  const controller = (url = `https://${REMOTE}`): string =>
    `[[controller]]\nurl = "${url}"\nca = "${ca.certificate}"\n`;
  const fixed = (name: string, ip: string, gateway: string): string =>
    `[interface.${name}]\nprotocol = "static"\n[static.${name}]\nip = "${ip}"\ngateway = "${gateway}"\n`;
  /** Starts a controller with an address that is beyond the network of a cable. */
  const startController = (cable: number, with_ = issued) => {
    lab.cable(cable).server("ip", "address", "add", `${REMOTE}/32`, "dev", "lo");
    return lab.cable(cable).startController(with_);
  };

  test("what net.toml says is set up, and is enough when a controller answers", async () => {
    lab = await NetworkLab.open();
    lab.configure(fixed("v0", "10.9.0.5/24", "10.9.0.1") + controller());
    lab.plug();
    await startController(0);
    const agent = lab.startAgent();
    const { reason, attempts } = await agent.until(isDone);
    expect(reason).toBe(
      `v0 10.9.0.5/24 from net.toml, gateway 10.9.0.1, https://${REMOTE} reached`,
    );
    expect(attempts).toBe(1);
    expect(lab.addresses("v0")).toEqual(["10.9.0.5/24"]);
    const status = await agent.status();
    expect(status).toMatchObject({ state: "up", method: "config", round: 1 });
    expect(status.controllers[0]?.isReached).toBe(true);
    expect(lab.read("/run/node0/dhcp/v0.pid")).toBe("");
  });

  test("a static gateway that leads nowhere: DHCP on the second of four interfaces", async () => {
    lab = await NetworkLab.open(4);
    lab.configure(fixed("v0", "10.9.0.5/24", "10.9.0.99") + controller());
    for (const number of [0, 1, 2, 3]) lab.cable(number).plug();
    lab.cable(1).startDhcp();
    await startController(1);
    const agent = lab.startAgent();
    const { reason } = await agent.until(isDone);
    expect(reason).toMatch(/^v1 10\.9\.1\.\d+\/24 by DHCP, gateway 10\.9\.1\.1, https/);
    // What net.toml says stays.
    expect(lab.addresses("v0")).toEqual(["10.9.0.5/24"]);
    const status = await agent.status();
    expect(status).toMatchObject({ method: "dhcp", round: 1 });
    expect(tried(status, "v0", "config")?.isReached).toBe(false);
    expect(tried(status, "v1", "dhcp")?.isReached).toBe(true);
    // Nobody asks any more where it is not needed.
    await expect.poll(() => lab.node("pgrep", "-fc", "^busybox udhcpc").trim()).toBe("1");
  });

  test("a lease that leads to no controller is given up for the next interface", async () => {
    lab = await NetworkLab.open(2);
    lab.configure(controller());
    for (const number of [0, 1]) {
      lab.cable(number).plug();
      lab.cable(number).startDhcp();
    }
    await startController(1);
    const agent = lab.startAgent();
    expect((await agent.until(isDone)).reason).toMatch(/^v1 10\.9\.1\.\d+\/24 by DHCP/);
    expect(lab.addresses("v0")).toEqual([]);
    expect(lab.node("ip", "route")).not.toContain("dev v0");
    const { reason } = tried(await agent.status(), "v0", "dhcp") ?? {};
    expect(reason).toMatch(new RegExp(`^10\\.9\\.0\\.\\d+/24 by DHCP, but https://${REMOTE}: `));
    expect(lab.read("/run/node0/dhcp/resolv.conf")).toBe("nameserver 10.9.1.1\n");
  });

  test("without DHCP a fallback address is taken past two that are in use", async () => {
    lab = await NetworkLab.open();
    lab.configure(controller());
    lab.plug();
    for (const host of [1, 2, 254]) {
      lab.server("ip", "address", "add", `10.254.254.${host}/24`, "dev", "s0");
    }
    await lab.cable(0).startController(issued);
    const agent = lab.startAgent({ limits: { dhcpMs: 300 }, randoms: [0, 0, 0] });
    const { reason } = await agent.until(isDone);
    expect(reason).toBe(`v0 10.254.254.3/24 as fallback, https://${REMOTE} reached`);
    expect(lab.addresses("v0")).toEqual(["10.254.254.3/24"]);
    expect(await agent.status()).toMatchObject({ method: "fallback", state: "up" });
  });

  test("nothing at all for three rounds, then a controller appears", async () => {
    lab = await NetworkLab.open();
    lab.configure(controller());
    lab.plug();
    const agent = lab.startAgent({ limits: { dhcpMs: 200, reachMs: 300 }, retryMs: 50 });
    await agent.until((status) => isRetrying(status) && status.attempts >= 3);
    lab.cable(0).startDhcp();
    await startController(0);
    const { reason, attempts } = await agent.until(isDone);
    expect(attempts).toBeGreaterThan(3);
    expect(reason).toContain("10.9.0.");
  });

  test("two nodes that fall back at the same moment take different addresses", async () => {
    lab = await NetworkLab.open();
    const other = await NetworkLab.open(0);
    try {
      lab.join(other);
      lab.plug();
      lab.server("ip", "address", "add", "10.254.254.254/24", "dev", "br0");
      await lab.cable(0).startController(issued);
      const agents = [lab, other].map((one) => {
        one.configure(controller());
        return one.startAgent({ limits: { dhcpMs: 200 }, randoms: [0.5] });
      });
      await Promise.all(agents.map((agent) => agent.until(isDone)));
      const [first, second] = [lab.addresses("v0"), other.addresses("v0")];
      expect(first[0]).toMatch(/^10\.254\.254\.\d+\/24$/);
      expect(second[0]).toMatch(/^10\.254\.254\.\d+\/24$/);
      expect(first).not.toEqual(second);
    } finally {
      await other.close();
    }
  });

  test("addresses of router advertisements alone are enough", async () => {
    lab = await NetworkLab.open();
    lab.configure(controller("https://[2001:db8:9::1]"));
    lab.plug();
    lab.cable(0).startAdvertisements("2001:db8:9::");
    await lab.cable(0).startController(ca.issue(["2001:db8:9::1"]));
    const agent = lab.startAgent({ limits: { dhcpMs: 10_000 } });
    const { reason, attempts } = await agent.until(isDone);
    expect(reason).toMatch(/^v0 2001:db8:9:\S+\/64 by router advertisement/);
    expect(attempts).toBe(1);
    expect(await agent.status()).toMatchObject({ state: "up" });
  });

  test("a broken net.toml is reported and DHCP starts", async () => {
    lab = await NetworkLab.open();
    lab.configure('[interface.v0]\nprotocol = "sttic"\n');
    lab.plug();
    lab.startServer();
    const agent = lab.startAgent();
    expect((await agent.until(isDone)).reason).toContain("by DHCP");
    const { config } = await agent.status();
    expect(config.problems[0]).toMatch(/interface\.v0\.protocol in .*net\.toml:2: "sttic"/);
  });

  test("a port that merely answers is no controller, nor is one of another authority", async () => {
    lab = await NetworkLab.open(3);
    lab.configure(controller());
    for (const number of [0, 1, 2]) {
      lab.cable(number).plug();
      lab.cable(number).startDhcp();
    }
    lab.cable(0).server("ip", "address", "add", `${REMOTE}/32`, "dev", "lo");
    lab.cable(0).listenTcp(443);
    const stranger = makeCa(mkdtempSync(join(directory, "stranger-")), "another authority");
    await startController(1, stranger.issue([REMOTE]));
    await startController(2);
    const agent = lab.startAgent({ limits: { reachMs: 1000 } });
    expect((await agent.until(isDone)).reason).toMatch(/^v2 /);
    const status = await agent.status();
    expect(tried(status, "v0", "dhcp")?.reason).toContain("no answer within 1 s");
    expect(tried(status, "v1", "dhcp")?.reason).toContain("certificate");
  });
});

function tried(
  status: NetworkStatus,
  name: string,
  method: NetworkMethod,
): TriedMethod | undefined {
  return status.interfaces
    .find((one) => one.name === name)
    ?.tried.find((one) => one.method === method);
}
