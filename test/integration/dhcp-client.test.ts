import { resolve } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DECENT, DhcpLab, HOOK } from "./support/dhcp-lab.ts";
import { DIRECTORY, missingForLab } from "./support/network-lab.ts";

const missing = missingForLab();
if (missing !== undefined) console.log(`dhcp-client is skipped: ${missing}`);

const SOON = { timeout: 8000, interval: 50 };
/** Longer than a round of the client: eight questions one second apart, and four seconds of rest. */
const NEXT_ROUND = { timeout: 20_000, interval: 50 };
const ADDRESS = ["10.9.0.50/24"];
const ROUTE = "default via 10.9.0.1 dev v0 src 10.9.0.50 metric 1007 onlink";

let shortLease: ReturnType<typeof watchShortLease>;
beforeAll(() => {
  if (missing !== undefined) return;
  shortLease = watchShortLease();
  // Its own test awaits it.
  shortLease.catch(() => {});
});

describe.skipIf(missing !== undefined)("a DHCP client", () => {
  let dhcp: DhcpLab;
  beforeEach(async () => {
    dhcp = await DhcpLab.open();
  });
  afterEach(() => dhcp.close());

  const clientPid = (): string => dhcp.lab.read(`${DIRECTORY}/v0.pid`).trim();
  const files = (): string => dhcp.lab.node("ls", DIRECTORY).trim();
  const types = (): string[] => dhcp.questions().map(({ type }) => type);

  /** A client of an earlier agent, with something before its hook and other times. */
  function startClient(before: string, times: readonly string[]): void {
    dhcp.lab.write("/run/hook", `#!/bin/sh\n${before}\n. ${HOOK}\n`);
    dhcp.lab.node("chmod", "755", "/run/hook");
    const words = ["-f", "-i", "v0", "-p", `${DIRECTORY}/v0.pid`, "-s", "/run/hook", ...times];
    const command = 'exec setsid --fork busybox udhcpc "$@" >/dev/null 2>&1';
    dhcp.lab.node("sh", "-c", command, "sh", ...words);
  }

  async function startInUse(): Promise<void> {
    await dhcp.call("setInUse", 1007);
    await dhcp.call("start");
    await expect.poll(dhcp.lease.bind(dhcp), SOON).toMatchObject({ address: "10.9.0.50" });
    expect(dhcp.addresses()).toEqual(ADDRESS);
    expect(dhcp.routes()).toBe(ROUTE);
  }

  test("asks for everything the node makes use of", async () => {
    await dhcp.call("start");
    await expect.poll(types, SOON).toContain("discover");
    const wanted = [1, 3, 6, 12, 15, 26, 28, 42, 119, 121, 249];
    expect(dhcp.questions()[0]?.wanted).toEqual(wanted);
  });

  test("is not started twice", async () => {
    await dhcp.call("start");
    const pid = clientPid();
    await dhcp.call("start");
    expect(clientPid()).toBe(pid);
    expect(dhcp.lab.node("pgrep", "-f", "^busybox udhcpc").trim()).toBe(pid);
  });

  test("that is stopped gives its lease back and leaves nothing behind", async () => {
    await startInUse();
    await dhcp.call("stop");
    expect(types()).toContain("release");
    expect(await dhcp.call("isRunning")).toBe(false);
    expect(dhcp.addresses()).toEqual([]);
    expect(dhcp.routes()).toBe("");
    expect(files()).toBe("");
  });

  test("can be stopped twice at the same time, and once more", async () => {
    await startInUse();
    await dhcp.call("stopTwice");
    await dhcp.call("stop");
    expect(files()).toBe("");
    expect(dhcp.addresses()).toEqual([]);
  });

  test("that is stopped while its hook runs leaves no address", async () => {
    await dhcp.call("setInUse", 1007);
    // Long enough that the hook is certainly under way, short enough that it ends by itself.
    startClient('[ "$1" = deconfig ] || { : >/run/began; sleep 0.5; }', ["-T", "1"]);
    await expect.poll(() => dhcp.lab.node("ls", "/run"), SOON).toContain("began");
    await dhcp.call("stop");
    expect(dhcp.addresses()).toEqual([]);
    expect(dhcp.routes()).toBe("");
    expect(files()).toBe("");
  });

  test("that does not hear is killed, with its hook", async () => {
    await startInUse();
    dhcp.lab.node("kill", "-STOP", clientPid());
    await dhcp.call("stop");
    expect(dhcp.lab.node("sh", "-c", "pgrep udhcpc || echo none").trim()).toBe("none");
    expect(dhcp.addresses()).toEqual([]);
    expect(files()).toBe("");
  });

  test("outlives the agent, with lease and mark", async () => {
    await startInUse();
    const pid = clientPid();
    dhcp = await dhcp.another();
    expect(await dhcp.lease()).toMatchObject({ address: "10.9.0.50", leaseSeconds: 600 });
    expect(await dhcp.call("inUseMetric")).toBe(1007);
    await dhcp.call("start");
    expect(clientPid()).toBe(pid);
  });

  test("that died leaves its lease until it is over", async () => {
    await startInUse();
    dhcp.lab.node("kill", "-KILL", clientPid());
    await expect.poll(() => dhcp.call("isRunning"), SOON).toBe(false);
    expect(await dhcp.lease()).toMatchObject({ address: "10.9.0.50" });
    const text = dhcp.lab.read(`${DIRECTORY}/v0.lease`);
    dhcp.lab.write(
      `${DIRECTORY}/v0.lease`,
      text.replace(/^lease=.*$/m, "lease=1").replace(/^uptime=.*$/m, "uptime=1"),
    );
    expect(await dhcp.lease()).toBeUndefined();
  });

  test("that is asked to renew prolongs its lease", async () => {
    await startInUse();
    const first = await dhcp.lease();
    await dhcp.call("renew");
    await expect
      .poll(async () => (await dhcp.lease())?.obtainedMs, SOON)
      .toBeGreaterThan(first?.obtainedMs ?? Number.POSITIVE_INFINITY);
    expect(dhcp.addresses()).toEqual(ADDRESS);
    expect(types().filter((type) => type === "discover")).toHaveLength(1);
  });

  test("without a lease asks at once when it is asked to renew, also in its rest", async () => {
    dhcp.say({ says: "silent" });
    startClient('[ "$1" != leasefail ] || : >/run/rests', ["-t", "1", "-T", "1", "-A", "600"]);
    await expect.poll(() => dhcp.lab.node("ls", "/run"), SOON).toContain("rests");
    dhcp.say({});
    await dhcp.call("renew");
    await expect.poll(dhcp.lease.bind(dhcp), SOON).toMatchObject({ address: "10.9.0.50" });
  });

  test("that gets another address takes the first one away", async () => {
    await startInUse();
    dhcp.say({ address: "10.9.0.51" });
    await dhcp.call("renew");
    await expect.poll(() => dhcp.addresses(), SOON).toEqual(["10.9.0.51/24"]);
    expect(dhcp.routes()).toBe(ROUTE.replace("10.9.0.50", "10.9.0.51"));
    expect(await dhcp.lease()).toMatchObject({ address: "10.9.0.51" });
  });

  test("whose server is gone at renewal loses address and routes, and gets new ones later", async () => {
    await startInUse();
    dhcp.lab.node("ip", "address", "add", "10.9.0.5/24", "dev", "v0");
    dhcp.say({ says: "silent" });
    await dhcp.call("renew");
    await expect.poll(() => dhcp.addresses(), SOON).toEqual(["10.9.0.5/24"]);
    expect(dhcp.routes()).toBe("");
    await expect.poll(dhcp.lease.bind(dhcp), SOON).toBeUndefined();
    dhcp.say({ address: "10.9.0.52" });
    await expect.poll(() => dhcp.addresses(), NEXT_ROUND).toContain("10.9.0.52/24");
  });

  test("that is refused loses address and routes at once", async () => {
    await startInUse();
    dhcp.say({ says: "no" });
    await dhcp.call("renew");
    await expect.poll(() => dhcp.addresses(), SOON).toEqual([]);
    expect(dhcp.routes()).toBe("");
    await expect.poll(dhcp.lease.bind(dhcp), SOON).toBeUndefined();
  });
});

describe.skipIf(missing !== undefined)("clients that are started before the agent", () => {
  let dhcp: DhcpLab;
  beforeEach(async () => {
    dhcp = await DhcpLab.open();
  });
  afterEach(() => dhcp.close());

  const index = (name: string): number =>
    Number(dhcp.lab.read(`/sys/class/net/${name}/ifindex`).trim());

  test("ask the same questions, and the first one is in use", async () => {
    dhcp.lab.runEarlyNetwork("v0");
    await expect.poll(dhcp.lease.bind(dhcp), SOON).toMatchObject({ address: "10.9.0.50" });
    const metric = 1000 + index("v0");
    expect(await dhcp.call("inUseMetric")).toBe(metric);
    expect(dhcp.addresses()).toEqual(ADDRESS);
    expect(dhcp.routes()).toBe(ROUTE.replace("1007", `${metric}`));
    const commandLine = (): string => {
      const pid = dhcp.lab.read(`${DIRECTORY}/v0.pid`).trim();
      return dhcp.lab.read(`/proc/${pid}/cmdline`);
    };
    const early = commandLine();
    await dhcp.call("stop");
    await dhcp.call("start");
    expect(commandLine()).toBe(early);
  });

  test("only the first interface with carrier is in use, in the order of the kernel", async () => {
    const { lab } = dhcp;
    // Names in the other order; z9 has a smaller index than a1, and no carrier.
    lab.node(..."ip link add z9 type veth peer name z8".split(" "));
    lab.node(..."ip link add a1 type veth peer name a0".split(" "));
    lab.node(..."ip link set a0 up".split(" "));
    lab.runEarlyNetwork("a1", "z9", "v0");
    await expect.poll(() => lab.read(`${DIRECTORY}/a1.pid`), SOON).not.toBe("");
    expect(lab.read(`${DIRECTORY}/v0.use`)).toBe(`${1000 + index("v0")}\n`);
    expect(lab.node("sh", "-c", `echo ${DIRECTORY}/*.use`).trim()).toBe(`${DIRECTORY}/v0.use`);
    expect(lab.read(`${DIRECTORY}/z9.pid`)).toBe("");
    expect(lab.read("/sys/class/net/z9/flags").trim()).toBe("0x1003");
  });

  test("a second call marks no second interface and starts no second client", async () => {
    const { lab } = dhcp;
    lab.node(..."ip link add a1 type veth peer name a0".split(" "));
    lab.runEarlyNetwork("v0");
    await expect.poll(() => lab.read(`${DIRECTORY}/v0.pid`), SOON).not.toBe("");
    const pid = lab.read(`${DIRECTORY}/v0.pid`);
    lab.node(..."ip link set a0 up".split(" "));
    lab.runEarlyNetwork("a1", "v0");
    await expect.poll(() => lab.read(`${DIRECTORY}/a1.pid`), SOON).not.toBe("");
    expect(lab.read(`${DIRECTORY}/v0.pid`)).toBe(pid);
    expect(lab.node("sh", "-c", `echo ${DIRECTORY}/*.use`).trim()).toBe(`${DIRECTORY}/v0.use`);
  });

  test.each([
    ['[interface.v0]\nprotocol = "dhcp"\n', false],
    ['# x\n  [ interface."v0" ]', false],
    ["[network]\n\tauto = true\n", false],
    ["network = { auto = true }\n", false],
    ['interface.v0.protocol = "none"\n', false],
    ['[[controller]]\nurl = "https://interface.example"\n# auto\n# [interface.v0]\n', true],
    ["", true],
  ])("with the net.toml %j they are started: %s", async (text, isStarted) => {
    const { lab } = dhcp;
    lab.write("/run/net.toml", text);
    const settings = [`NODE0_DHCP_DIR=${DIRECTORY}`, `NODE0_DHCP_HOOK=${HOOK}`];
    const script = resolve("etc/network/early-network");
    lab.node("ip", "link", "set", "v0", "down");
    lab.node("env", ...settings, "NODE0_NET_TOML=/run/net.toml", "busybox", "sh", script, "v0");
    expect(lab.read("/sys/class/net/v0/flags").trim()).toBe(isStarted ? "0x1003" : "0x1002");
    expect(lab.node("sh", "-c", `echo ${DIRECTORY}/*.use`)).toContain(isStarted ? "v0" : "*");
  });
});

// udhcpc counts no lease shorter than 30 s: this one runs beside the others.
describe.skipIf(missing !== undefined)("a short lease", () => {
  test("is asked for again in its middle, and ends when nobody answers", async () => {
    const { dhcp, before, after } = await shortLease;
    await dhcp.close();
    expect(before).toEqual({ addresses: ADDRESS, requests: 1 });
    expect(after.addresses).toEqual([]);
    expect(after.requests).toBeGreaterThan(1);
    expect(after.lease).toBeUndefined();
  });
});

async function watchShortLease() {
  const [, ...others] = DECENT.options ?? [];
  const dhcp = await DhcpLab.open({ ...DECENT, options: [[51, "0000001e"], ...others] });
  const look = async () => ({
    addresses: dhcp.addresses(),
    requests: dhcp.questions().filter(({ type }) => type === "request").length,
  });
  await dhcp.call("setInUse", 1007);
  await dhcp.call("start");
  await expect.poll(() => dhcp.addresses(), SOON).toEqual(ADDRESS);
  const before = await look();
  dhcp.say({ says: "silent" });
  await expect.poll(() => dhcp.addresses(), { timeout: 28_000, interval: 200 }).toEqual([]);
  return { dhcp, before, after: { ...(await look()), lease: await dhcp.lease() } };
}
