import type { Clock } from "../../src/base/clock.ts";
import { AgentError } from "../../src/base/errors.ts";
import { type ArpPacket, encodeArp, NO_ADDRESS, parseArp } from "../../src/network/arp-packet.ts";
import type { ArpSocket, LinkCondition, OpenArpSocket } from "../../src/sys/arp.ts";

/** One packet as it went over the segment. */
export interface Seen {
  readonly atMs: number;
  readonly packet: ArpPacket;
}

export interface SegmentQuality {
  /** From one station to all others. */
  readonly latencyMs: number;
  /** True: this copy of a packet, for one receiver, is lost. */
  readonly isLost: () => boolean;
}

/**
 * An Ethernet segment in memory: what one station sends, all sockets of the others receive, at once
 * unless told otherwise, filtered as the kernel does. `owners` answer requests for their address.
 */
export class ArpSegment {
  readonly seen: Seen[] = [];
  /** MAC by address. */
  readonly owners = new Map<string, string>();
  readonly sockets = new Set<FakeArpSocket>();
  readonly #clock: Clock;
  readonly #quality: SegmentQuality | undefined;

  constructor(clock: Clock, quality?: SegmentQuality) {
    this.#clock = clock;
    this.#quality = quality;
  }

  /** The port of a station; each has one interface. */
  station(
    mac: string,
    state: { condition: LinkCondition } = { condition: "ready" },
  ): OpenArpSocket {
    return async (name, address) => {
      if (state.condition === "gone") throw new AgentError("E_ARP", `no ${name}`);
      const socket = new FakeArpSocket({ segment: this, ownMac: mac, address, state });
      this.sockets.add(socket);
      return socket;
    };
  }

  /** Also for packets from stations that have no socket here. */
  send(packet: ArpPacket, from?: string): void {
    this.seen.push({ atMs: this.#clock.monotonicMs(), packet });
    for (const socket of this.sockets) {
      if (socket.ownMac !== from) this.#carry(() => socket.deliver(packet));
    }
    const { operation, senderMac, senderAddress, targetAddress } = packet;
    const owner = this.owners.get(targetAddress);
    if (operation !== "request" || owner === undefined || owner === from) return;
    // Linux does not answer an announcement of an address it has itself: its source is invalid.
    if (senderAddress === targetAddress) return;
    const reply = { senderMac: owner, senderAddress: targetAddress, targetMac: senderMac };
    const answer: ArpPacket = { operation: "reply", ...reply, targetAddress: senderAddress };
    this.#carry(() => this.send(answer, owner));
  }

  /** A socket that is open now may be closed on arrival, which is no matter. */
  #carry(arrive: () => void): void {
    if (this.#quality === undefined) arrive();
    else if (!this.#quality.isLost()) this.#clock.after(this.#quality.latencyMs, arrive);
  }
}

export class FakeArpSocket implements ArpSocket {
  readonly ownMac: string;
  /** Thrown by the next calls of `broadcast`. */
  failure: Error | undefined;
  readonly #segment: ArpSegment;
  readonly #address: string;
  readonly #state: { condition: LinkCondition };
  readonly #waiting: Uint8Array[] = [];

  constructor(parts: {
    segment: ArpSegment;
    ownMac: string;
    address: string;
    state: { condition: LinkCondition };
  }) {
    this.#segment = parts.segment;
    this.ownMac = parts.ownMac;
    this.#address = parts.address;
    this.#state = parts.state;
  }

  deliver(packet: ArpPacket): void {
    const isFromIt = packet.senderAddress === this.#address;
    const isProbe = packet.senderAddress === NO_ADDRESS && packet.targetAddress === this.#address;
    if (isFromIt || isProbe) this.#waiting.push(encodeArp(packet));
  }

  /** Bytes that are no packet, as a hostile station would send. */
  deliverBytes(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  mac(): string {
    return this.ownMac;
  }

  condition(): LinkCondition {
    return this.#state.condition;
  }

  broadcast(bytes: Uint8Array): void {
    if (this.failure !== undefined) throw this.failure;
    const packet = parseArp(bytes);
    if (packet !== undefined) this.#segment.send(packet, this.ownMac);
  }

  receive(): Uint8Array | undefined {
    return this.#waiting.shift();
  }

  close(): void {
    this.#segment.sockets.delete(this);
  }
}
