import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { Firewall, type FirewallStatus } from "../../src/network/firewall.ts";
import type { FirewallPolicy } from "../../src/network/firewall-rules.ts";
import { BOOT_LIMIT_MS, call, openClient, PASSWORD, shell, startNode } from "./support.ts";

const POLICY: FirewallPolicy = {
  overlayInterfaces: ["zt0"],
  ports: [6379],
  zerotierPort: 9993,
  allowFrom: ["eth0", "10.1.0.0/16", "fd00::/8"],
  open: [{ protocol: "udp", port: 53 }],
};

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

/** The packet filter of the machine, driven from here: its nft runs there. */
const remote = (): Firewall =>
  new Firewall({
    connections: async () => [
      {
        family: 4,
        local: { address: "10.0.2.15", port: 6379 },
        remote: { address: "10.0.2.2", port: 4000 },
      },
    ],
    nft: async (args, input) => {
      const script = `nft ${args.join(" ")} 2>&1 <<'END'; echo "status $?"\n${input}\nEND\n`;
      const text = await shell(client, script);
      const [, output = "", status] = /^([\s\S]*)status (\d+)\n$/.exec(text) ?? [];
      return { status: Number(status), isMissing: false, stdout: output, stderr: output };
    },
  });

describe("the packet filter of a machine", () => {
  test("starts without rules", async () => {
    expect(await remote().status()).toEqual({
      digest: null,
      rules: 0,
      droppedPackets: 0,
      opened: [],
    });
    expect(await shell(client, "nft list ruleset")).toBe("");
  });

  test("takes our rules with the modules they need, and the connection that set them goes on", async () => {
    expect(await remote().apply(POLICY)).toEqual({ isChanged: true });
    expect(await remote().apply(POLICY)).toEqual({ isChanged: false });
    expect(await remote().status()).toMatchObject({
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
    } satisfies Partial<FirewallStatus>);
    const again = openClient(machine);
    expect(await again.ping()).toBe("PONG");
    again.disconnect();
    expect(await call(client, "core.ping")).toMatchObject({ state: "SUCCESS" });
    await remote().remove();
    expect(await shell(client, "nft list ruleset")).toBe("");
  });
});

test("there is a place for the network configuration", async () => {
  expect(await shell(client, "ls -ld /etc/g8os")).toMatch(/^drwxr-xr-x .* root +root /);
});
