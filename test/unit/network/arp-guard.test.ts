import { beforeEach, describe, expect, test } from "vitest";
import type { ProbeOutcome } from "../../../src/network/address-guard.ts";
import { ArpGuard, type ArpGuardOptions } from "../../../src/network/arp-guard.ts";
import type { ArpPacket } from "../../../src/network/arp-packet.ts";
import { FALLBACK_TIMING, RFC5227_TIMING } from "../../../src/network/arp-timing.ts";
import type { LinkCondition } from "../../../src/sys/arp.ts";
import { ArpSegment } from "../../fakes/arp-segment.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { settle } from "../../fakes/turns.ts";

const ADDRESS = "10.254.254.7";
const OURS = "02:00:00:00:00:01";
const OUR_SECOND = "02:00:00:00:00:02";
const THEIRS = "02:00:00:00:00:99";
const NOBODY = "00:00:00:00:00:00";

let clock: FakeClock;
let segment: ArpSegment;
let log: QuietLog;
beforeEach(() => {
  clock = new FakeClock();
  segment = new ArpSegment(clock);
  log = new QuietLog();
});

function guardOf(mac: string, over: Partial<ArpGuardOptions> = {}): ArpGuard {
  return new ArpGuard({
    clock,
    log,
    openSocket: segment.station(mac),
    ownMacs: () => [OURS, OUR_SECOND],
    random: () => 0.5,
    timing: RFC5227_TIMING,
    ...over,
  });
}

/** Steps of 10 ms, so that everything that waits has its turn. */
async function pass(spanMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < spanMs; passedMs += 10) {
    await settle();
    clock.advance(10);
  }
  await settle();
}

/** The outcome so far. */
function watch(probing: Promise<ProbeOutcome>): { outcome?: ProbeOutcome; error?: unknown } {
  const seen: { outcome?: ProbeOutcome; error?: unknown } = {};
  probing.then(
    (outcome) => {
      seen.outcome = outcome;
    },
    (error: unknown) => {
      seen.error = error;
    },
  );
  return seen;
}

function packet(over: Partial<ArpPacket>): ArpPacket {
  const empty = { senderMac: THEIRS, targetMac: NOBODY, targetAddress: ADDRESS };
  return { operation: "request", senderAddress: "0.0.0.0", ...empty, ...over };
}

const announcement = (senderMac = THEIRS): ArpPacket =>
  packet({ senderMac, senderAddress: ADDRESS });
const never = new AbortController().signal;
const times = (): number[] => segment.seen.map(({ atMs }) => atMs);

describe("probing", () => {
  test("sends three probes after a wait and calls silence free, at the times of the RFC", async () => {
    const seen = watch(guardOf(OURS).probe("eth0", ADDRESS, never));
    await pass(5400);
    expect(seen).toEqual({});
    expect(segment.seen.map((one) => one.packet)).toEqual(
      Array(3).fill(packet({ senderMac: OURS })),
    );
    expect(times()).toEqual([500, 2000, 3500]);
    await pass(200);
    expect(seen).toEqual({ outcome: { isFree: true } });
    expect(segment.sockets.size).toBe(0);
  });

  test.each([
    ["shortest", 0, 1500],
    ["longest", 0.999999, 2750],
  ])("takes the %s time of the fallback method", async (_, random, endMs) => {
    const guard = guardOf(OURS, { timing: FALLBACK_TIMING, random: () => random });
    const seen = watch(guard.probe("eth0", ADDRESS, never));
    await pass(endMs - 10);
    expect(seen).toEqual({});
    expect(segment.seen).toHaveLength(4);
    await pass(60);
    expect(seen).toEqual({ outcome: { isFree: true } });
  });

  test("finds the owner that answers, and ends at once", async () => {
    segment.owners.set(ADDRESS, THEIRS);
    const seen = watch(guardOf(OURS).probe("eth0", ADDRESS, never));
    await pass(600);
    expect(seen).toEqual({ outcome: { isFree: false, mac: THEIRS } });
    expect(segment.sockets.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each<[string, ArpPacket]>([
    ["a probe of another machine", packet({})],
    ["an announcement of another machine", announcement()],
    ["a reply of the owner to somebody", packet({ operation: "reply", senderAddress: ADDRESS })],
    [
      "a request of the owner for another address",
      packet({ senderAddress: ADDRESS, targetAddress: "10.254.254.254" }),
    ],
  ])("%s is a conflict, also before the first probe and after the last", async (_, heard) => {
    for (const waitMs of [10, 5400]) {
      const seen = watch(guardOf(OURS).probe("eth0", ADDRESS, never));
      await pass(waitMs);
      segment.send(heard, THEIRS);
      await pass(60);
      expect(seen).toEqual({ outcome: { isFree: false, mac: THEIRS } });
    }
  });

  test.each<[string, ArpPacket]>([
    ["a reply sent from no address", packet({ operation: "reply" })],
    ["a probe from another interface of this machine", packet({ senderMac: OUR_SECOND })],
    ["an answer from another interface of this machine", announcement(OUR_SECOND)],
    ["its own probe, sent back by a loop", packet({ senderMac: OURS })],
  ])("%s is no conflict", async (_, heard) => {
    const seen = watch(guardOf(OURS).probe("eth0", ADDRESS, never));
    await pass(1000);
    segment.send(heard);
    await pass(5000);
    expect(seen).toEqual({ outcome: { isFree: true } });
  });

  test("bytes that are no packet do not disturb it", async () => {
    const seen = watch(guardOf(OURS).probe("eth0", ADDRESS, never));
    await pass(100);
    const [socket] = segment.sockets;
    for (const length of [0, 1, 27]) socket?.deliverBytes(new Uint8Array(length).fill(1));
    socket?.deliverBytes(new Uint8Array(28).fill(0xff));
    await pass(5600);
    expect(seen).toEqual({ outcome: { isFree: true } });
  });

  test("of two machines that ask in the same second one at most gets the address", async () => {
    const seen = [OURS, THEIRS].map((mac, index) => {
      const guard = guardOf(mac, { ownMacs: () => [mac], random: () => index / 2 });
      return watch(guard.probe("eth0", ADDRESS, never));
    });
    await pass(5500);
    expect(seen).toEqual([
      { outcome: { isFree: true } },
      { outcome: { isFree: false, mac: OURS } },
    ]);
  });

  test.each<[LinkCondition, string]>([
    ["down", "the link is down"],
    ["no-carrier", "the link has no carrier"],
    ["gone", "there is no such link"],
  ])("a link that becomes %s proves nothing", async (condition, reason) => {
    const state: { condition: LinkCondition } = { condition: "ready" };
    const openSocket = segment.station(OURS, state);
    const seen = watch(guardOf(OURS, { openSocket }).probe("eth0", ADDRESS, never));
    await pass(1000);
    state.condition = condition;
    await pass(100);
    expect(seen.error).toMatchObject({
      code: "E_ARP",
      message: `Cannot probe ${ADDRESS} on eth0: ${reason}`,
      fields: { reason },
    });
    expect(segment.sockets.size).toBe(0);
  });

  test("ends with the reason of its signal and leaves nothing open", async () => {
    const controller = new AbortController();
    const seen = watch(guardOf(OURS).probe("eth0", ADDRESS, controller.signal));
    await pass(1000);
    const reason = new Error("carrier came back elsewhere");
    controller.abort(reason);
    await settle();
    expect(seen).toEqual({ error: reason });
    expect(segment.sockets.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("defending", () => {
  test("announces twice, two seconds apart", async () => {
    guardOf(OURS).defend("eth0", ADDRESS, () => {});
    await pass(20_000);
    expect(segment.seen).toEqual([
      { atMs: 0, packet: announcement(OURS) },
      { atMs: 2000, packet: announcement(OURS) },
    ]);
  });

  test("answers a first conflict with one announcement and keeps the address", async () => {
    const lost: string[] = [];
    guardOf(OURS).defend("eth0", ADDRESS, (mac) => lost.push(mac));
    await pass(5000);
    segment.send(announcement(), THEIRS);
    await pass(30_000);
    expect(segment.seen.slice(3).map((one) => one.packet)).toEqual([announcement(OURS)]);
    expect(segment.seen[3]?.atMs).toBeLessThanOrEqual(5500);
    expect(lost).toEqual([]);
    expect(log.lines).toHaveLength(1);
  });

  test("gives up at the second conflict within ten seconds, once", async () => {
    const lost: string[] = [];
    guardOf(OURS).defend("eth0", ADDRESS, (mac) => lost.push(mac));
    await pass(5000);
    segment.send(announcement(), THEIRS);
    await pass(9000);
    expect(lost).toEqual([]);
    for (let count = 0; count < 3; count += 1) segment.send(announcement(), THEIRS);
    await pass(600);
    expect(lost).toEqual([THEIRS]);
    expect(segment.sockets.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("defends again when ten seconds have passed", async () => {
    const lost: string[] = [];
    guardOf(OURS).defend("eth0", ADDRESS, (mac) => lost.push(mac));
    for (let count = 0; count < 4; count += 1) {
      segment.send(announcement(), THEIRS);
      await pass(11_000);
    }
    expect(lost).toEqual([]);
    expect(log.lines).toHaveLength(4);
  });

  test("neither probes nor the machine's own interfaces are conflicts", async () => {
    const lost: string[] = [];
    guardOf(OURS).defend("eth0", ADDRESS, (mac) => lost.push(mac));
    await pass(5000);
    for (const heard of [packet({}), announcement(OURS), announcement(OUR_SECOND)]) {
      for (let count = 0; count < 3; count += 1) segment.send(heard);
    }
    await pass(5000);
    expect(lost).toEqual([]);
    expect(log.lines).toEqual([]);
  });

  test("a flood is taken in portions", async () => {
    guardOf(OURS).defend("eth0", ADDRESS, () => {});
    await pass(5000);
    const [socket] = segment.sockets;
    for (let count = 0; count < 100; count += 1) socket?.deliver(packet({}));
    await pass(500);
    expect(socket?.waiting).toBe(36);
    await pass(500);
    expect(socket?.waiting).toBe(0);
  });

  test("keeps what it has to announce until the link has carrier", async () => {
    const state: { condition: LinkCondition } = { condition: "no-carrier" };
    guardOf(OURS, { openSocket: segment.station(OURS, state) }).defend("eth0", ADDRESS, () => {});
    await pass(60_000);
    expect(segment.seen).toEqual([]);
    state.condition = "ready";
    await pass(5000);
    expect(segment.seen).toHaveLength(2);
  });

  test("a link that is gone ends the watch and is told", async () => {
    const state: { condition: LinkCondition } = { condition: "ready" };
    const lost: string[] = [];
    const openSocket = segment.station(OURS, state);
    guardOf(OURS, { openSocket }).defend("eth0", ADDRESS, (mac) => lost.push(mac));
    await pass(1000);
    state.condition = "gone";
    await pass(1000);
    expect(segment.sockets.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    expect(lost).toEqual([]);
    const fields = { interface: "eth0", address: ADDRESS, cause: "the link is gone" };
    expect(log.lines).toEqual([["warn", "address is not watched", fields]]);
  });

  test("a link that is not there is told", async () => {
    const openSocket = segment.station(OURS, { condition: "gone" });
    guardOf(OURS, { openSocket }).defend("eth9", ADDRESS, () => {});
    await settle();
    expect(log.lines).toMatchObject([["warn", "address is not watched", { interface: "eth9" }]]);
  });

  test("what cannot be sent is told once, and the watch goes on", async () => {
    const lost: string[] = [];
    guardOf(OURS).defend("eth0", ADDRESS, (mac) => lost.push(mac));
    await pass(1000);
    const [socket] = segment.sockets;
    if (socket !== undefined) socket.failure = new Error("ENOBUFS");
    await pass(10_000);
    expect(log.lines).toHaveLength(1);
    for (let count = 0; count < 2; count += 1) segment.send(announcement(), THEIRS);
    await pass(500);
    segment.send(announcement(), THEIRS);
    await pass(500);
    expect(lost).toEqual([THEIRS]);
  });

  test("a watch that was ended hears and says nothing more", async () => {
    const lost: string[] = [];
    const stop = guardOf(OURS).defend("eth0", ADDRESS, (mac) => lost.push(mac));
    await pass(5000);
    stop();
    stop();
    for (let count = 0; count < 3; count += 1) segment.send(announcement(), THEIRS);
    await pass(5000);
    expect(lost).toEqual([]);
    expect(segment.sockets.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a watch that was ended before its socket was open leaves none open", async () => {
    guardOf(OURS).defend("eth0", ADDRESS, () => {})();
    await pass(1000);
    expect(segment.sockets.size).toBe(0);
    expect(segment.seen).toEqual([]);
  });
});
