import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { GUEST_PORT, macOf } from "../../scripts/machine/qemu-arguments.ts";
import type { Scenario } from "../fixtures/zerotier-one.ts";
import { KILL_AGENT } from "./support/agent.ts";
import { typeOnConsole } from "./support/console.ts";
import { startNetworkController } from "./support/network-controller.ts";
import {
  CONTROLLER,
  ensureNetworkImage,
  HIDDEN_ZEROTIER,
  HIDE_ZEROTIER,
} from "./support/network-image.ts";
import { TestNetwork } from "./support/test-network.ts";
import { BOOT_LIMIT_MS, openClient, shell, startNode } from "./support.ts";

const OVERLAY = "8056c2e21c000001";
const OVERLAY_ADDRESS = "10.147.17.5";
/** Where the agent keeps the files of zerotier-one. */
const HOME = "/run/node0/zerotier";
/** Pid and start time of zerotier-one. */
const DAEMON_RECORD = "/run/node0/services/zerotier-one.json";

/**
 * One machine for all of these, each test going on where the one before ended. It has its network on
 * eth0; eth1 is left alone, to be the cable of the overlay in the end.
 */
let network: TestNetwork;
let machine: Machine;
let endController: () => Promise<void>;

beforeAll(async () => {
  const image = await ensureNetworkImage();
  network = await TestNetwork.open();
  network.addSegment({ name: "lan0", addresses: ["10.9.0.1/24", `${CONTROLLER}/24`] });
  network.addSegment({ name: "lan1", addresses: ["10.147.17.1/24"] });
  const taps = [0, 1].map((card) => network.addTap(`tap${card}`, `lan${card}`));
  network.startDhcp("lan0", { address: "10.9.0.1" });
  const macs = taps.map((_, card) => macOf(card));
  endController = await startNetworkController(network, {
    ...image.controller,
    host: CONTROLLER,
    macs,
  });
  machine = await startNode({
    ...image,
    taps,
    namespacePid: network.pid,
    password: null,
    append: `zerotier=${OVERLAY} noautonic=eth1 ${HIDE_ZEROTIER}`,
  });
});
afterAll(async () => {
  await machine?.stop();
  await endController?.();
  await network?.close();
});

/** Waits for a line of the overlay phase. @returns its reason. */
async function waitOverlay(pattern: RegExp, fromOffset = 0): Promise<string> {
  const [line] = await machine.waitSerial(pattern, { timeoutMs: BOOT_LIMIT_MS, fromOffset });
  return line;
}

/** Types a command and returns the lines it printed. */
async function ask(command: string): Promise<string> {
  const text = await typeOnConsole(
    machine,
    `${command}; echo end-$((40 + 2))`,
    /[\s\S]*?\nend-42(?=\n)/,
  );
  return text.slice(text.indexOf("\n") + 1);
}

function scenario(step: { status: string; addresses?: string[] }): string {
  return `'${JSON.stringify({ networks: { [OVERLAY]: [step] } } satisfies Scenario)}'`;
}

describe("a machine that is told to join an overlay", () => {
  let lanAddress = "";

  test("says that it has no zerotier-one, goes on trying, and answers on its console", async () => {
    const [, address = ""] = await machine.waitSerial(
      / network +done +eth0 (10\.9\.0\.\d+)\/24 .*\n/,
      { timeoutMs: BOOT_LIMIT_MS },
    );
    lanAddress = address;
    await waitOverlay(/ overlay +\w+ .*zerotier-one is not running.*\n/);
    expect(await ask("node0 run -- echo by-$((40 + 3))-socket")).toContain("by-43-socket");
    expect(machine.serial()).not.toMatch(/ api +done/);
  });

  test("says who has to be authorised while the network does not let it in", async () => {
    const fromOffset = machine.serial().length;
    await ask(
      `mkdir -p -m 700 ${HOME} && echo ${scenario({ status: "ACCESS_DENIED" })} >${HOME}/scenario.json`,
    );
    await ask(`mv ${HIDDEN_ZEROTIER} /usr/sbin/`);
    const line = await waitOverlay(/ overlay +\w+ .*administrator.*\n/, fromOffset);
    expect(line).toMatch(/\b[0-9a-f]{10}\b/);
    expect(await ask("NO_COLOR=1 node0 status")).toMatch(/overlay .*administrator/);
  });

  test("takes the name of its overlay address and listens there and on loopback only", async () => {
    const fromOffset = machine.serial().length;
    const step = { status: "OK", addresses: [`${OVERLAY_ADDRESS}/24`] };
    await ask(`echo ${scenario(step)} >${HOME}/scenario.json`);
    const line = await waitOverlay(/ overlay +done +(.*)\n/, fromOffset);
    const [, id = ""] = / as ([0-9a-f]{10})\b/.exec(line) ?? [];
    await machine.waitSerial(/ api +done .*\n/, { timeoutMs: BOOT_LIMIT_MS, fromOffset });
    expect(await ask("hostname")).toContain(`node0-${id}`);
    const listening = await ask("netstat -ltn | grep 6379");
    expect(listening).toContain(`127.0.0.1:${GUEST_PORT} `);
    expect(listening).toContain(`${OVERLAY_ADDRESS}:${GUEST_PORT} `);
    expect(listening).not.toMatch(/0\.0\.0\.0:6379|:::6379|10\.9\.0\./);
  });

  test("is reached over the overlay and drops what comes in anywhere else", async () => {
    await ask(`zt=$(echo /sys/class/net/pzt*) && ip() { /usr/sbin/ip "$@"; }`);
    // The bridge itself must not answer for the address: the packet filter would be right to drop that.
    await ask("ip link add name cable type bridge && ip link set cable arp off up");
    await ask(`for end in \${zt##*/} eth1; do ip link set $end master cable up; done`);
    const path = await network.reach(OVERLAY_ADDRESS, GUEST_PORT);
    const client: Redis = openClient({ path });
    expect(await shell(client, "nft list table inet node0")).toMatch(/policy drop;/);
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
    expect(network.knock(lanAddress, GUEST_PORT)).toBe("silent");
    expect(network.run("busybox", "ping", "-c", "1", "-W", "5", lanAddress)).toContain(
      "1 packets received",
    );
  });

  test("stays in the overlay while the agent is killed and comes back", async () => {
    const path = await network.reach(OVERLAY_ADDRESS, GUEST_PORT);
    const before = openClient({ path });
    const daemon = await shell(before, `cat ${DAEMON_RECORD}`);
    const fromOffset = machine.serial().length;
    await expect(shell(before, KILL_AGENT)).rejects.toThrow();
    await machine.waitSerial(/ boot +done/, { timeoutMs: BOOT_LIMIT_MS, fromOffset });
    const after = openClient({ path });
    expect(await shell(after, `cat ${DAEMON_RECORD}`)).toBe(daemon);
    after.disconnect();
    expect(network.knock(lanAddress, GUEST_PORT)).toBe("silent");
  });
});
