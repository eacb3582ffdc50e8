import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { buildRuleset } from "../../src/network/firewall-rules.ts";
import { BOOT_LIMIT_MS, call, openClient, PASSWORD, shell, startNode } from "./support.ts";

let machine: Machine;
let client: Redis;

beforeAll(async () => {
  machine = await startNode();
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
  client = openClient(machine);
});
afterAll(async () => {
  client?.disconnect();
  await machine?.stop();
});

describe("the packet filter of a machine", () => {
  test("starts empty, and nft is there to say so", async () => {
    expect(await shell(client, "nft list ruleset")).toBe("");
  });

  test("takes our rules, loads the modules they need, and keeps the connection that set them", async () => {
    const rules = buildRuleset(
      {
        overlayInterfaces: ["zt0"],
        ports: [6379],
        zerotierPort: 9993,
        allowFrom: ["eth0", "fd00::/8"],
        open: [{ protocol: "udp", port: 53 }],
      },
      [
        {
          family: 4,
          local: { address: "10.0.2.15", port: 6379 },
          remote: { address: "10.0.2.2", port: 4000 },
        },
      ],
    );
    const args = { name: "nft", args: ["-f", "-"], stdin: rules };
    expect(await call(client, "core.system", args)).toMatchObject({ state: "SUCCESS" });
    const listed = await shell(client, "nft list table inet node0");
    expect(listed).toMatch(/policy drop;/);
    expect(listed).toMatch(/elements = \{ 10\.0\.2\.15 \. 6379 \. 10\.0\.2\.2 \. 4000 \}/);
    const again = openClient(machine);
    expect(await again.ping()).toBe("PONG");
    again.disconnect();
    await shell(client, "nft delete table inet node0");
  });
});

test("there is a place for the network configuration", async () => {
  expect(await shell(client, "ls -ld /etc/g8os")).toMatch(/^drwxr-xr-x .* root +root /);
});
