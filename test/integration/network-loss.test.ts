import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DIRECTORY, missingForLab, NetworkLab } from "./support/network-lab.ts";
import { isDone, isRetrying } from "./support/network-lab-agent.ts";
import { type IssuedCertificate, makeCa, type ThrowawayCa } from "./support/throwaway-ca.ts";

const missing = missingForLab("openssl");
if (missing !== undefined) console.log(`network-loss is skipped: ${missing}`);

const REMOTE = "203.0.113.7";
const SOON = { timeout: 10_000 };

describe.skipIf(missing !== undefined)("a network that came up", () => {
  let directory: string;
  let ca: ThrowawayCa;
  let issued: IssuedCertificate;
  let lab: NetworkLab;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "node0-loss-"));
    ca = makeCa(directory);
    issued = ca.issue([REMOTE]);
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  afterEach(() => lab.close());

  const controller = (): string =>
    `[[controller]]\nurl = "https://${REMOTE}"\nca = "${ca.certificate}"\n`;
  const startController = (cable: number) => {
    lab.cable(cable).server("ip", "address", "add", `${REMOTE}/32`, "dev", "lo");
    return lab.cable(cable).startController(issued);
  };
  const resolvConf = (): string => lab.read(`${DIRECTORY}/resolv.conf`);
  /** Writes down what happens to links, addresses and routes from now on. */
  const monitor = async (): Promise<() => string> => {
    const script = "ip monitor link address route >/run/events 2>&1 & echo $!";
    lab.node("sh", "-c", script);
    // It listens when it hears of a link that is of no matter.
    await expect
      .poll(() => {
        lab.node(..."ip link add probe0 type bridge".split(" "));
        lab.node(..."ip link delete probe0".split(" "));
        return lab.read("/run/events");
      })
      .toContain("probe0");
    const isOfMatter = (line: string): boolean => /\bv\d|^(Deleted )?default/.test(line);
    return () => lab.read("/run/events").split("\n").filter(isOfMatter).join("\n");
  };

  test("goes on without its agent, and the next one changes nothing", async () => {
    lab = await NetworkLab.open(2);
    const fixed = 'protocol = "static"\n[static.v0]\nip = "10.9.0.5/24"\ngateway = "10.9.0.99"\n';
    lab.configure(`[interface.v0]\n${fixed}${controller()}`);
    for (const number of [0, 1]) lab.cable(number).plug();
    lab.cable(1).startDhcp();
    await startController(1);
    const first = lab.startAgent({ limits: { reachMs: 300 } });
    await first.until(isDone);
    const client = lab.read(`${DIRECTORY}/v1.pid`);
    const events = await monitor();
    await first.kill();
    const second = lab.startAgent();
    const { attempts, reason } = await second.until(isDone);
    expect(attempts).toBe(1);
    expect(reason).toMatch(/^v1 10\.9\.1\.\d+\/24 by DHCP/);
    await expect.poll(async () => (await second.usage()).cpuMs).toBeGreaterThan(0);
    expect((await second.status()).method).toBe("dhcp");
    expect(lab.read(`${DIRECTORY}/v1.pid`)).toBe(client);
    expect(events()).toBe("");
  });

  test("by fallback goes on without its agent, and the next one changes nothing", async () => {
    lab = await NetworkLab.open();
    lab.configure(controller());
    lab.plug();
    lab.server("ip", "address", "add", "10.254.254.254/24", "dev", "s0");
    await lab.cable(0).startController(issued);
    const first = lab.startAgent({ limits: { dhcpMs: 300 } });
    await first.until(isDone);
    const before = lab.addresses("v0");
    const events = await monitor();
    await first.kill();
    const second = lab.startAgent({ limits: { dhcpMs: 300 } });
    expect((await second.until(isDone)).reason).toContain("as fallback");
    expect(lab.addresses("v0")).toEqual(before);
    expect(events()).toBe("");
  });

  test("a cable that is pulled and plugged in again leads to the same lease", async () => {
    lab = await NetworkLab.open();
    lab.configure(controller());
    lab.plug();
    lab.startServer();
    await startController(0);
    const agent = lab.startAgent();
    await agent.until(isDone);
    const before = lab.addresses("v0");
    lab.unplug();
    expect((await agent.until(isRetrying)).reason).toBe("v0: no carrier");
    expect((await agent.status()).state).toBe("searching");
    lab.plug();
    await agent.until(isDone);
    expect(lab.addresses("v0")).toEqual(before);
    expect((await agent.status()).state).toBe("up");
  });

  test("a cable that is pulled moves the network to another interface", async () => {
    lab = await NetworkLab.open(2);
    lab.configure(controller());
    for (const number of [0, 1]) {
      lab.cable(number).plug();
      lab.cable(number).startDhcp();
      await startController(number);
    }
    const agent = lab.startAgent();
    expect((await agent.until(isDone)).reason).toMatch(/^v0 /);
    lab.cable(0).unplug();
    expect((await agent.until(isDone)).reason).toMatch(/^v1 /);
  });

  test("an address and a default route somebody took away come back", async () => {
    lab = await NetworkLab.open();
    lab.plug();
    lab.startServer();
    const agent = lab.startAgent({ limits: { eventsAfterUpMs: 0 } });
    await agent.until(isDone);
    const before = lab.addresses("v0");
    lab.node("ip", "address", "flush", "dev", "v0");
    await expect.poll(() => lab.addresses("v0"), SOON).toEqual(before);
    await expect.poll(() => lab.node("ip", "route"), SOON).toContain("default via 10.9.0.1");
    lab.node("ip", "route", "delete", "default");
    await expect.poll(() => lab.node("ip", "route"), SOON).toContain("default via 10.9.0.1");
    expect((await agent.status()).state).toBe("up");
  });

  test("controllers that do not answer any more start the search again", async () => {
    lab = await NetworkLab.open(2);
    lab.configure(controller());
    for (const number of [0, 1]) {
      lab.cable(number).plug();
      lab.cable(number).startDhcp();
    }
    const gone = await startController(0);
    await startController(1);
    const agent = lab.startAgent({ limits: { checkMs: 200, reachMs: 500 } });
    expect((await agent.until(isDone)).reason).toMatch(/^v0 /);
    await gone.stop();
    expect((await agent.until(isRetrying)).reason).toContain(`https://${REMOTE}: `);
    expect((await agent.until(isDone)).reason).toMatch(/^v1 /);
  });

  test("another lease is followed, with its name servers", async () => {
    lab = await NetworkLab.open();
    lab.plug();
    lab.startServer();
    const agent = lab.startAgent({ limits: { eventsAfterUpMs: 0 } });
    await agent.until(isDone);
    lab.cable(0).stopDhcp();
    lab
      .cable(0)
      .startDhcp({ range: [150, 160], dns: "10.9.0.53", words: ["--dhcp-option=12,pc7"] });
    lab.node("kill", "-USR1", lab.read(`${DIRECTORY}/v0.pid`).trim());
    await expect.poll(() => lab.addresses("v0").join(), SOON).toMatch(/^10\.9\.0\.1[56]\d\/24$/);
    await expect.poll(resolvConf, SOON).toBe("nameserver 10.9.0.53\n");
    expect(await agent.hostname()).toBe("pc7");
  });

  test("a lease that nobody prolongs is lost, and found again when the server is back", async () => {
    lab = await NetworkLab.open();
    lab.plug();
    lab.cable(0).startShortLeases(4);
    const agent = lab.startAgent({ limits: { dhcpMs: 1000 } });
    await agent.until(isDone);
    lab.cable(0).stopShortLeases();
    expect((await agent.until(isRetrying)).reason).toBe("v0: the DHCP lease has ended");
    await expect.poll(() => lab.addresses("v0")).toEqual([]);
    lab.startServer();
    expect((await agent.until(isDone)).reason).toContain("by DHCP");
  });

  test("a fallback address that turns out to be somebody else's is changed for another one", async () => {
    lab = await NetworkLab.open();
    lab.configure(controller());
    lab.plug();
    lab.server("ip", "address", "add", "10.254.254.254/24", "dev", "s0");
    await lab.cable(0).startController(issued);
    const agent = lab.startAgent({ limits: { dhcpMs: 300 }, randoms: [0, 0] });
    expect((await agent.until(isDone)).reason).toContain("10.254.254.1/24 as fallback");
    lab.cable(0).announce("10.254.254.1");
    await expect.poll(() => lab.addresses("v0"), SOON).toEqual(["10.254.254.2/24"]);
    expect((await agent.status()).state).toBe("up");
  });

  test("net.toml is read again on demand; one with mistakes changes nothing", async () => {
    lab = await NetworkLab.open();
    lab.plug();
    lab.startServer();
    const agent = lab.startAgent();
    await agent.until(isDone);
    lab.configure('[interface.v0]\nprotocol = "sttic"\n');
    const refused = await agent.reload();
    expect(refused.isAccepted).toBe(false);
    expect(refused.problems).toHaveLength(1);
    expect((await agent.status()).state).toBe("up");
    const fixed = '[static.v0]\nip = "10.9.0.5/24"\ngateway = "10.9.0.1"\n';
    lab.configure(`[interface.v0]\nprotocol = "static"\n${fixed}`);
    expect((await agent.reload()).isAccepted).toBe(true);
    expect((await agent.until(isDone)).reason).toContain("10.9.0.5/24 from net.toml");
    expect(lab.addresses("v0")).toEqual(["10.9.0.5/24"]);
    expect(lab.read(`${DIRECTORY}/v0.pid`)).toBe("");
  });
});
