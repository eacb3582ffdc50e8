import type { Clock } from "../base/clock.ts";
import type { ArpSocket } from "../sys/arp.ts";
import { buildAnnouncement } from "./arp-packet.ts";
import { receiveStrangers } from "./arp-strangers.ts";
import type { ArpTiming } from "./arp-timing.ts";

export interface ArpWatchOptions {
  readonly clock: Clock;
  readonly address: string;
  readonly ownMacs: () => readonly string[];
  readonly timing: ArpTiming;
  readonly onDefend: (mac: string) => void;
  /** The watch has ended. */
  readonly onLost: (mac: string) => void;
  /** The watch has ended because the link is gone or cannot be used, or it misses something now. */
  readonly onTrouble: (error: unknown) => void;
}

/** One address in use: announced, then defended. Source: RFC 5227, sections 2.3 and 2.4 (b). */
export class ArpWatch {
  readonly #options: ArpWatchOptions;
  #socket: ArpSocket | undefined;
  #cancelPoll: () => void = () => {};
  #isOver = false;
  #hasTrouble = false;
  #announcementsLeft: number;
  #announceAtMs = 0;
  #lastConflictMs = Number.NEGATIVE_INFINITY;

  constructor(options: ArpWatchOptions) {
    this.#options = options;
    this.#announcementsLeft = options.timing.announceCount;
  }

  /** @param opening May still be on its way: announcing begins when it is there. */
  start(opening: Promise<ArpSocket>): void {
    opening.then(
      (socket) => {
        if (this.#isOver) {
          socket.close();
          return;
        }
        this.#socket = socket;
        this.#announceAtMs = this.#options.clock.monotonicMs();
        this.#poll(socket);
      },
      (error: unknown) => {
        if (this.#isOver) return;
        this.stop();
        this.#options.onTrouble(error);
      },
    );
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelPoll();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #poll(socket: ArpSocket): void {
    // A link that is down comes back; one that is gone does not, whatever gets its name.
    if (socket.condition() === "gone") {
      this.stop();
      this.#options.onTrouble(new Error("the link is gone"));
      return;
    }
    const lostTo = this.#look(socket);
    if (lostTo !== undefined) {
      this.stop();
      this.#options.onLost(lostTo);
      return;
    }
    const { clock, timing } = this.#options;
    this.#cancelPoll = clock.after(timing.defendPollMs, () => this.#poll(socket));
  }

  /** What fails here fails for a moment, or the link is gone soon; it is told once. */
  #look(socket: ArpSocket): string | undefined {
    try {
      this.#announceWhenDue(socket);
      const lostTo = this.#listen(socket);
      this.#hasTrouble = false;
      return lostTo;
    } catch (error) {
      if (!this.#hasTrouble) this.#options.onTrouble(error);
      this.#hasTrouble = true;
      return undefined;
    }
  }

  #announceWhenDue(socket: ArpSocket): void {
    const { clock, timing } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#announcementsLeft === 0 || nowMs < this.#announceAtMs) return;
    if (socket.condition() !== "ready") return;
    this.#announcementsLeft -= 1;
    this.#announceAtMs = nowMs + timing.announceIntervalMs;
    this.#announce(socket);
  }

  /** Hardware address of whom the address is lost to. */
  #listen(socket: ArpSocket): string | undefined {
    const { address, ownMacs, onDefend } = this.#options;
    for (const { senderAddress, senderMac } of receiveStrangers(socket, ownMacs)) {
      if (senderAddress !== address) continue;
      if (!this.#isDefensible()) return senderMac;
      if (socket.condition() === "ready") this.#announce(socket);
      onDefend(senderMac);
    }
    return undefined;
  }

  /** False for the second conflict within the interval. */
  #isDefensible(): boolean {
    const { clock, timing } = this.#options;
    const nowMs = clock.monotonicMs();
    const isFirst = nowMs - this.#lastConflictMs >= timing.defendIntervalMs;
    if (isFirst) this.#lastConflictMs = nowMs;
    return isFirst;
  }

  #announce(socket: ArpSocket): void {
    socket.broadcast(buildAnnouncement(socket.mac(), this.#options.address));
  }
}
