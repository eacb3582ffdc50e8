import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { TlsControllerEvent, TlsControllerOptions } from "../fixtures/tls-controller.ts";
import { makeCa } from "../integration/support/throwaway-ca.ts";
import { LAB } from "./support/lab-drive.ts";
import { LabPhase, PHASE_PROGRAM } from "./support/lab-phase.ts";
import { MachineLab } from "./support/machine-lab.ts";
import { CONTROLLER } from "./support/network-image.ts";

/** What the kernels of test hosts may lack, inside one machine that runs the kernel of the image. */
let lab: MachineLab;

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "node0-lab-ca-"));
  const ca = makeCa(directory);
  const { certificate, key } = ca.issue([CONTROLLER]);
  const files = Object.entries({ "ca.crt": ca.certificate, "server.crt": certificate, key }).map(
    ([path, source]) => ({ path, text: readFileSync(source, "utf8") }),
  );
  rmSync(directory, { recursive: true });
  lab = await MachineLab.open([PHASE_PROGRAM, "test/fixtures/tls-controller.ts"], files);
});
beforeEach(() => lab.reset());
afterAll(() => lab?.close());

/** Addresses a machine chooses from with one random number: 10.254.254.1 and on. */
const FALLBACK_HOSTS = 253;

const CONTROLLER_TOML = `
[[controller]]
url = "https://${CONTROLLER}"
ca = "${LAB}/ca.crt"
`;

/** @param name Interface of the server side that gets the controller's address. */
async function startController(name: string): Promise<void> {
  await lab.on("server", `ip address add ${CONTROLLER}/24 dev ${name}`);
  const options: TlsControllerOptions = {
    certificate: `${LAB}/server.crt`,
    key: `${LAB}/key`,
    host: CONTROLLER,
    port: 443,
  };
  await lab.start("server", "tls-controller.mjs", options, "controller");
  const said = () => lab.output<TlsControllerEvent>("controller");
  await expect
    .poll(said, { timeout: 20_000 })
    .toContainEqual({ event: "listening", port: options.port });
}

/** A cable that is slow and loses packets, both ways. */
async function makeLossy(node: string, server: string): Promise<void> {
  const lossy = "root netem delay 100ms loss 5%";
  await lab.on("server", `tc qdisc add dev ${server} ${lossy}`);
  await lab.on("node", `tc qdisc add dev ${node} ${lossy}`);
}

test("a tagged link gets its address through the tag, and the link below it none", async () => {
  await lab.addCable("v0", "s0");
  await lab.on(
    "server",
    `ip link set s0 up
    ip link add link s0 name s0.7 type vlan id 7
    ip link set s0.7 up`,
  );
  await lab.startDhcp("s0.7", "10.9.7.1");
  await startController("lo");
  const phase = await LabPhase.start(
    lab,
    `[interface.v0]
    protocol = "none"
    [interface.tag7]
    protocol = "dhcp"
    vlan = { link = "v0", id = 7 }
    ${CONTROLLER_TOML}`,
  );
  const { reason } = await phase.until("done");
  expect(reason).toMatch(/\btag7 10\.9\.7\.\d+\/24\b/);
  const { method, interfaces } = await phase.network();
  const byName = Object.fromEntries(interfaces.map((each) => [each.name, each]));
  expect(method).toBe("config");
  expect(byName).toMatchObject({
    tag7: { kind: "vlan", lease: { server: "10.9.7.1" } },
    v0: { lease: null, hasCarrier: true },
  });
  expect(byName["v0"]?.addresses.join(" ")).not.toMatch(/10\.9\./);
});

test("a bond stays up when one of its two cables is pulled, and is lost with the second", async () => {
  await lab.on("server", "ip link add name sw type bridge && ip link set sw up");
  for (const cable of [0, 1]) {
    await lab.addCable(`v${cable}`, `s${cable}`);
    await lab.on("server", `ip link set s${cable} master sw up`);
  }
  await lab.startDhcp("sw", "10.9.8.1");
  await startController("lo");
  const phase = await LabPhase.start(
    lab,
    `[interface.v0]
    protocol = "none"
    [interface.v1]
    protocol = "none"
    [interface.bond0]
    protocol = "dhcp"
    bond = { mode = "active-backup", members = ["v0", "v1"] }
    ${CONTROLLER_TOML}`,
  );
  const { reason } = await phase.until("done");
  expect(reason).toMatch(/\bbond0 10\.9\.8\.\d+\/24\b/);

  const active = (): Promise<string> =>
    lab.on("node", "cat /sys/class/net/bond0/bonding/active_slave").then((text) => text.trim());
  const first = await active();
  const second = first === "v0" ? "v1" : "v0";
  await lab.on("server", `ip link set ${first.replace("v", "s")} down`);
  await expect.poll(active, { timeout: 20_000 }).toBe(second);
  await lab.on("node", `ping -c 1 -W 5 ${CONTROLLER}`);
  expect((await phase.network()).state).toBe("up");
  expect((await phase.statuses()).at(-1)?.state).toBe("done");

  await lab.on("server", `ip link set ${second.replace("v", "s")} down`);
  expect((await phase.until("retrying")).reason).toMatch(/bond0/);
});

test("DHCP comes up over a cable that loses 5 % and takes 100 ms each way", async () => {
  await lab.addCable("v0", "s0");
  await makeLossy("v0", "s0");
  await lab.on("server", "ip link set s0 up");
  await lab.startDhcp("s0", "10.9.9.1");
  await startController("lo");
  const phase = await LabPhase.start(lab, CONTROLLER_TOML);
  expect((await phase.until("done")).reason).toMatch(/^v0 10\.9\.9\.\d+\/24 by DHCP/);
});

test("a fallback address over such a cable is not the one another machine has", async () => {
  await lab.addCable("v0", "s0");
  await makeLossy("v0", "s0");
  await lab.on(
    "server",
    `ip link set s0 up
    ip address add 10.254.254.7/24 dev s0
    nft add table arp lab
    nft add chain arp lab input '{ type filter hook input priority 0; }'
    nft add rule arp lab input arp daddr ip 10.254.254.7 counter`,
  );
  await startController("s0");
  const phase = await LabPhase.start(lab, CONTROLLER_TOML, { randoms: [6.5 / FALLBACK_HOSTS] });
  const { reason } = await phase.until("done");
  expect(reason).toMatch(/^v0 10\.254\.254\.\d+\/24/);
  expect(reason).not.toContain("10.254.254.7/");
  expect((await phase.network()).method).toBe("fallback");
  expect(await lab.on("server", "nft list table arp lab")).toMatch(/ packets [1-9]/);
});
