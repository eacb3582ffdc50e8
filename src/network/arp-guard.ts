import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import { sleep } from "../sequencer/wait.ts";
import type { ArpSocket, LinkCondition, OpenArpSocket } from "../sys/arp.ts";
import type { AddressGuard, ProbeOutcome } from "./address-guard.ts";
import { type ArpPacket, buildProbe, NO_ADDRESS } from "./arp-packet.ts";
import { receiveStrangers } from "./arp-strangers.ts";
import { type ArpTiming, FALLBACK_TIMING } from "./arp-timing.ts";
import { ArpWatch } from "./arp-watch.ts";

export interface ArpGuardOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly openSocket: OpenArpSocket;
  /**
   * Hardware addresses of all interfaces of this machine at the moment. Two of them on one switch hear
   * each other, and Linux answers for its addresses on every interface: neither is a conflict.
   */
  readonly ownMacs: () => readonly string[];
  /** A number in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Default {@link FALLBACK_TIMING}. */
  readonly timing?: ArpTiming;
}

/** IPv4 address conflict detection over ARP. Source: RFC 5227. */
export class ArpGuard implements AddressGuard {
  readonly #options: ArpGuardOptions;
  readonly #timing: ArpTiming;

  constructor(options: ArpGuardOptions) {
    this.#options = options;
    this.#timing = options.timing ?? FALLBACK_TIMING;
  }

  async probe(interfaceName: string, address: string, signal: AbortSignal): Promise<ProbeOutcome> {
    signal.throwIfAborted();
    const { clock, openSocket } = this.#options;
    const socket = await openSocket(interfaceName, address);
    try {
      const { sendAtMs, endMs } = this.#plan(clock.monotonicMs());
      for (;;) {
        // The time is read before the socket: what came until then has been looked at when it ends.
        const nowMs = clock.monotonicMs();
        const mac = this.#rival(socket, address);
        if (mac !== undefined) return { isFree: false, mac };
        requireLink(socket.condition(), interfaceName, address);
        if (nowMs >= endMs) return { isFree: true };
        if (sendAtMs[0] !== undefined && nowMs >= sendAtMs[0]) {
          socket.broadcast(buildProbe(socket.mac(), address));
          sendAtMs.shift();
        }
        const nextMs = Math.min(sendAtMs[0] ?? endMs, nowMs + this.#timing.probePollMs);
        await sleep(clock, nextMs - nowMs, signal);
      }
    } finally {
      socket.close();
    }
  }

  defend(interfaceName: string, address: string, onLost: (mac: string) => void): () => void {
    const { clock, log, openSocket, ownMacs } = this.#options;
    const fields = { interface: interfaceName, address };
    const watch = new ArpWatch({
      clock,
      address,
      ownMacs,
      timing: this.#timing,
      onDefend: (mac) =>
        log.warn("address is used by another machine, defended", { ...fields, mac }),
      onLost: (mac) => {
        log.warn("address is lost to another machine", { ...fields, mac });
        onLost(mac);
      },
      onTrouble: (error) =>
        log.warn("address is not watched", { ...fields, cause: errorText(error) }),
    });
    watch.start(openSocket(interfaceName, address));
    return () => watch.stop();
  }

  /** Section 2.1.1: when to send each probe, and when silence means free. */
  #plan(startMs: number): { sendAtMs: number[]; endMs: number } {
    const { probeWaitMs, probeCount, probeMinMs, probeMaxMs, announceWaitMs } = this.#timing;
    const random = this.#options.random ?? Math.random;
    let atMs = startMs + random() * probeWaitMs;
    const sendAtMs = [atMs];
    while (sendAtMs.length < probeCount) {
      atMs += probeMinMs + random() * (probeMaxMs - probeMinMs);
      sendAtMs.push(atMs);
    }
    return { sendAtMs, endMs: atMs + announceWaitMs };
  }

  /** Hardware address of the first packet that speaks against the use of an address. */
  #rival(socket: ArpSocket, address: string): string | undefined {
    const strangers = receiveStrangers(socket, this.#options.ownMacs);
    return strangers.find((packet) => isConflict(packet, address))?.senderMac;
  }
}

/** Section 2.1.1: somebody uses the address, or asks for it as we do. */
function isConflict(packet: ArpPacket, address: string): boolean {
  if (packet.senderAddress === address) return true;
  const isProbe = packet.operation === "request" && packet.senderAddress === NO_ADDRESS;
  return isProbe && packet.targetAddress === address;
}

const LINK_TROUBLE: Readonly<Record<Exclude<LinkCondition, "ready">, string>> = {
  "no-carrier": "the link has no carrier",
  down: "the link is down",
  gone: "there is no such link",
};

/** Probes that leave by a dead link are answered by nobody: that is no sign of a free address. */
function requireLink(condition: LinkCondition, interfaceName: string, address: string): void {
  if (condition === "ready") return;
  const reason = LINK_TROUBLE[condition];
  throw new AgentError("E_ARP", `Cannot probe ${address} on ${interfaceName}: ${reason}`, {
    fields: { reason },
  });
}
