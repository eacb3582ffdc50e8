import type { NetworkControl, NetworkStatus } from "../../src/network/status.ts";

/** A network that is up by DHCP on one of two interfaces; `over` says what differs. */
export function fakeStatus(over: Partial<NetworkStatus> = {}): NetworkStatus {
  return {
    state: "up",
    method: "dhcp",
    round: 1,
    reason: "eth0 10.0.2.15/24 by DHCP, gateway 10.0.2.2",
    sinceMs: 3412,
    config: { file: "/etc/g8os/net.toml", isPresent: false, problems: [] },
    controllers: [{ url: "https://a.example", isReached: true, reason: "certificate verified" }],
    interfaces: [
      {
        name: "eth0",
        mac: "52:54:00:12:34:56",
        kind: "device",
        isUp: true,
        hasCarrier: true,
        mtu: 1500,
        master: null,
        addresses: ["10.0.2.15/24", "fe80::5054:ff:fe12:3456/64"],
        protocol: "dhcp",
        lease: {
          interface: "eth0",
          address: "10.0.2.15",
          prefix: 24,
          gateway: "10.0.2.2",
          routes: [],
          dns: ["10.0.2.3"],
          search: [],
          ntp: [],
          hostname: null,
          mtu: null,
          leaseSeconds: 86_400,
          server: "10.0.2.2",
        },
        tried: [{ method: "dhcp", isReached: true, reason: "reached", endMs: 3400 }],
      },
      {
        name: "eth1",
        mac: "52:54:00:12:34:57",
        kind: "device",
        isUp: true,
        hasCarrier: false,
        mtu: 1500,
        master: null,
        addresses: [],
        protocol: "auto",
        lease: null,
        tried: [{ method: "dhcp", isReached: false, reason: "no carrier", endMs: 3000 }],
      },
    ],
    dns: { servers: ["10.0.2.3"], search: [] },
    ...over,
  };
}

/** A network whose status a test sets. */
export class FakeNetworkControl implements NetworkControl {
  #status: NetworkStatus = fakeStatus();
  readonly #listeners = new Set<() => void>();
  problems: readonly string[] = [];
  reloads = 0;

  status(): NetworkStatus {
    return this.#status;
  }

  onStatus(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async reload() {
    this.reloads += 1;
    return { isAccepted: this.problems.length === 0, problems: this.problems };
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  change(over: Partial<NetworkStatus>): void {
    this.#status = { ...this.#status, ...over };
    for (const listener of this.#listeners) listener();
  }
}
