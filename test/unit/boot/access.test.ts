import { expect, test } from "vitest";
import { type AccessInput, planAccess } from "../../../src/boot/access.ts";
import { DEFAULT_KERNEL_SETTINGS } from "../../../src/config/kernel-words.ts";
import type { OverlayReached } from "../../../src/network/overlay/types.ts";

const OVERLAY: OverlayReached = {
  nodeId: "abcdef0123",
  network: "8056c2e21c000001",
  interface: "ztabcdefgh",
  addresses: ["10.147.17.5/24", "fd80:56c2:e21c::5/88"],
};

const FIREWALL = { enabled: true, allow_from: [], open: [] };

function plan(over: Partial<AccessInput> = {}) {
  return planAccess({
    settings: DEFAULT_KERNEL_SETTINGS,
    overlay: OVERLAY,
    overlayPort: 9993,
    firewall: FIREWALL,
    ...over,
  });
}

test("without an overlay the endpoint listens everywhere and nothing is filtered", () => {
  expect(plan({ overlay: null })).toEqual({
    listen: [{ host: "0.0.0.0", port: 6379 }],
    ssh: [
      { host: "0.0.0.0", port: 22 },
      { host: "::", port: 22 },
    ],
    firewall: null,
  });
});

test("with an overlay the endpoint listens on its addresses and on loopback", () => {
  expect(plan().listen).toEqual([
    { host: "127.0.0.1", port: 6379 },
    { host: "10.147.17.5", port: 6379 },
    { host: "fd80:56c2:e21c::5", port: 6379 },
  ]);
});

test("sshd listens where the overlay is, whatever the endpoint was told", () => {
  const settings = { ...DEFAULT_KERNEL_SETTINGS, listen: [{ host: "0.0.0.0", port: 7000 }] };
  expect(plan({ settings }).ssh).toEqual([
    { host: "127.0.0.1", port: 22 },
    { host: "10.147.17.5", port: 22 },
    { host: "fd80:56c2:e21c::5", port: 22 },
  ]);
});

test("ports of metrics are accepted from the overlay's link too", () => {
  const { firewall } = plan({ firewall: { ...FIREWALL, ports: [9200] } });
  expect([firewall?.ports, firewall?.open]).toStrictEqual([[6379, 22, 9200], []]);
});

test("endpoint and sshd are accepted from the overlay's link, nothing is open to everybody", () => {
  expect(plan().firewall).toEqual({
    overlayInterfaces: ["ztabcdefgh"],
    ports: [6379, 22],
    zerotierPort: 9993,
    allowFrom: [],
    open: [],
  });
});

test("addresses of the kernel command line are listened on, and their ports are open", () => {
  const settings = {
    ...DEFAULT_KERNEL_SETTINGS,
    listen: [
      { host: "127.0.0.1", port: 6379 },
      { host: "192.168.1.5", port: 7000 },
    ],
  };
  const { listen, firewall } = plan({ settings });
  expect(listen).toEqual(settings.listen);
  expect(firewall?.open).toEqual([{ protocol: "tcp", port: 7000 }]);
  expect(firewall?.ports).toEqual([6379, 7000, 22]);
});

test("what the configuration opens is open, and may come from where it says", () => {
  const firewall = { enabled: true, allow_from: ["eth1", "10.0.0.0/8"], open: ["udp/51820"] };
  expect(plan({ firewall }).firewall).toMatchObject({
    allowFrom: ["eth1", "10.0.0.0/8"],
    open: [{ protocol: "udp", port: 51820 }],
  });
});

test("a firewall that is turned off filters nothing, the addresses stay those of the overlay", () => {
  const { listen, firewall } = plan({ firewall: { ...FIREWALL, enabled: false } });
  expect(firewall).toBeNull();
  expect(listen).toHaveLength(3);
});
