import { expect, test } from "vitest";
import { ArpGuard } from "../../../src/network/arp-guard.ts";
import { ArpSegment } from "../../fakes/arp-segment.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";
import { settle } from "../../fakes/turns.ts";

const ADDRESS = "10.254.254.7";
const OWNER = "02:00:00:00:00:99";
const LATENCY_MS = 100;
const LOSS = 0.05;
const LONGEST_MS = 2750;

/** The same numbers in every run. Source: Steele and Vigna, mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lets machines start together, each on a guard of its own; a free address is defended at once. */
async function compete(seed: number, machines: number, isOwned: boolean) {
  const random = seeded(seed);
  const clock = new FakeClock();
  const quality = { latencyMs: LATENCY_MS, isLost: () => random() < LOSS };
  const segment = new ArpSegment(clock, quality);
  if (isOwned) segment.owners.set(ADDRESS, OWNER);
  const claims: Promise<void>[] = [];
  let winners = 0;
  for (let index = 0; index < machines; index += 1) {
    const mac = `02:00:00:00:00:0${index}`;
    const openSocket = segment.station(mac);
    const log = new QuietLog();
    const guard = new ArpGuard({ clock, random, openSocket, ownMacs: () => [mac], log });
    const claim = async (): Promise<void> => {
      const { isFree } = await guard.probe("eth0", ADDRESS, new AbortController().signal);
      if (!isFree) return;
      winners += 1;
      guard.defend("eth0", ADDRESS, () => {
        winners -= 1;
      });
    };
    claims.push(claim());
  }
  for (let passedMs = 0; passedMs < LONGEST_MS + LATENCY_MS; passedMs += 25) {
    await settle();
    clock.advance(25);
  }
  await Promise.all(claims);
  return winners;
}

test("latency of 100 ms and loss of 5 % hide no owner", async () => {
  let mistakes = 0;
  for (let seed = 1; seed <= 200; seed += 1) mistakes += await compete(seed, 1, true);
  expect(mistakes).toBe(0);
});

test("with the same latency and loss no two machines get one address", async () => {
  const winners: number[] = [];
  for (let seed = 1; seed <= 100; seed += 1) winners.push(await compete(seed, 3, false));
  expect(Math.max(...winners)).toBe(1);
});
