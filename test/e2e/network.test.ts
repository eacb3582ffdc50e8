import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { GUEST_PORT, macOf } from "../../scripts/machine/qemu-arguments.ts";
import type { InterfaceStatus, NetworkStatus } from "../../src/network/status.ts";
import { typeOnConsole } from "./support/console.ts";
import { startNetworkController } from "./support/network-controller.ts";
import { CONTROLLER, ensureNetworkImage } from "./support/network-image.ts";
import { TestNetwork } from "./support/test-network.ts";
import { BOOT_LIMIT_MS, call, openClient, shell, startNode } from "./support.ts";

/**
 * One machine with three cards for all of these, each test going on where the one before ended:
 * eth0 starts without a cable, nothing answers on eth1, and behind eth2 there is a controller and
 * no DHCP server.
 */
let network: TestNetwork;
let machine: Machine;
let endController: () => Promise<void>;
const clients: Redis[] = [];

beforeAll(async () => {
  const image = await ensureNetworkImage();
  network = await TestNetwork.open();
  network.addSegment({ name: "lan0" });
  network.addSegment({ name: "lan1" });
  network.addSegment({ name: "lan2", addresses: [`${CONTROLLER}/24`] });
  const taps = [0, 1, 2].map((card) => network.addTap(`tap${card}`, `lan${card}`));
  const macs = taps.map((_, card) => macOf(card));
  endController = await startNetworkController(network, {
    ...image.controller,
    host: CONTROLLER,
    macs,
  });
  machine = await startNode({
    ...{ ...image, taps, namespacePid: network.pid, linksDown: [0] },
    password: null,
  });
});
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await machine?.stop();
  await endController?.();
  await network?.close();
});

/** Waits for the network to come up. @returns the reason the console gives; a prompt may stand before it. */
async function waitNetwork(fromOffset = 0): Promise<string> {
  const [, reason = ""] = await machine.waitSerial(/\] network +done +(.*)\n/, {
    timeoutMs: BOOT_LIMIT_MS,
    fromOffset,
  });
  return reason;
}

async function clientOf(reason: string): Promise<Redis> {
  const [address = ""] = /\d+\.\d+\.\d+\.\d+/.exec(reason) ?? [];
  const client = openClient({ path: await network.reach(address, GUEST_PORT) });
  clients.push(client);
  return client;
}

async function statusOf(client: Redis): Promise<NetworkStatus> {
  return JSON.parse((await call(client, "net.status")).data) as NetworkStatus;
}

function interfaceOf(status: NetworkStatus, name: string): InterfaceStatus {
  const found = status.interfaces.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no ${name} in ${JSON.stringify(status.interfaces)}`);
  return found;
}

describe("a machine with three cards that knows its controller only", () => {
  let fallback: Redis;

  test("finds the controller with a fallback address where no DHCP server answers", async () => {
    const reason = await waitNetwork();
    expect(reason).toMatch(/^eth2 10\.254\.254\.\d+\/24 .*fallback/);
    await machine.waitSerial(/ api +done/, { timeoutMs: BOOT_LIMIT_MS });
    fallback = await clientOf(reason);
    const status = await statusOf(fallback);
    expect(status).toMatchObject({ state: "up", method: "fallback", config: { problems: [] } });
    expect(status.controllers).toMatchObject([{ url: `https://${CONTROLLER}`, isReached: true }]);
  });

  test("tells what was tried on every card, and costs no time on one without cable", async () => {
    const status = await statusOf(fallback);
    const tried = (name: string) =>
      interfaceOf(status, name).tried.map(({ method, isReached }) => ({ method, isReached }));
    expect(interfaceOf(status, "eth0")).toMatchObject({ hasCarrier: false, addresses: [] });
    expect(tried("eth1")).toEqual([
      { method: "dhcp", isReached: false },
      { method: "fallback", isReached: false },
    ]);
    expect(tried("eth2")).toEqual([
      { method: "dhcp", isReached: false },
      { method: "fallback", isReached: true },
    ]);
    expect(interfaceOf(status, "eth2").addresses.join(" ")).toMatch(/10\.254\.254\.\d+\/24/);
    expect(interfaceOf(status, "eth1").addresses.join(" ")).not.toContain("10.254.254.");
  });

  test("says that the cable was pulled, keeps endpoint and jobs, and comes back with the cable", async () => {
    const lasting = { name: "sleep", args: ["100000"] };
    const command = { id: "lasting", command: "core.system", arguments: lasting };
    await fallback.rpush("core:default", JSON.stringify(command));
    await expect.poll(() => shell(fallback, "pidof sleep || true")).not.toBe("");

    const pulledAt = machine.serial().length;
    await machine.setLink(2, false);
    await machine.waitSerial(/ network +retrying .*eth2.*(carrier|cable)/, {
      timeoutMs: BOOT_LIMIT_MS,
      fromOffset: pulledAt,
    });
    await typeOnConsole(machine, "node0 run -- echo by-$((40 + 2))-socket", /^by-42-socket$/m);

    const pluggedAt = machine.serial().length;
    await machine.setLink(2, true);
    const reason = await waitNetwork(pluggedAt);
    expect(reason).toMatch(/^eth2 10\.254\.254\.\d+\/24 .*fallback/);
    const client = await clientOf(reason);
    const { data } = await call(client, "job.list");
    expect(JSON.stringify(JSON.parse(data))).toContain('"lasting"');
  });

  test("takes a card with DHCP in place of the one whose cable is pulled, and back", async () => {
    for (const card of [1, 2]) {
      network.run("ip", "address", "add", `10.9.${card}.1/24`, "dev", `lan${card}`);
      network.startDhcp(`lan${card}`, { address: `10.9.${card}.1` });
    }
    const first = machine.serial().length;
    await machine.setLink(2, false);
    expect(await waitNetwork(first)).toMatch(/^eth1 10\.9\.1\.\d+\/24 by DHCP/);

    const second = machine.serial().length;
    await machine.setLink(2, true);
    await machine.setLink(1, false);
    const reason = await waitNetwork(second);
    expect(reason).toMatch(/^eth2 10\.9\.2\.\d+\/24 by DHCP/);
    const client = await clientOf(reason);
    expect(await statusOf(client)).toMatchObject({ state: "up", method: "dhcp" });
    expect(await shell(client, "pidof sleep || true")).not.toBe("");
  });
});
