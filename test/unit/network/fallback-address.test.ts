import { beforeEach, expect, test } from "vitest";
import type { AddressGuard } from "../../../src/network/address-guard.ts";
import {
  claimFallbackAddress,
  type FallbackClaim,
  FallbackConflicts,
  isFallbackAddress,
} from "../../../src/network/fallback-address.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { settle } from "../../fakes/turns.ts";

const MAC = "02:00:00:00:00:99";

let clock: FakeClock;
let asked: { address: string; atMs: number }[];
beforeEach(() => {
  clock = new FakeClock();
  asked = [];
});

/** A guard for which the addresses in `taken`, or all of them, are somebody else's. */
function guardOf(taken: ReadonlySet<string> | "all"): AddressGuard {
  return {
    probe: async (interfaceName, address) => {
      expect(interfaceName).toBe("eth1");
      asked.push({ address, atMs: clock.monotonicMs() });
      const isTaken = taken === "all" || taken.has(address);
      return isTaken ? { isFree: false, mac: MAC } : { isFree: true };
    },
    defend: () => () => {},
  };
}

function claim(over: Partial<FallbackClaim> = {}): Promise<{ address: string }> {
  return claimFallbackAddress({
    guard: guardOf(new Set()),
    interface: "eth1",
    clock,
    random: () => 0.5,
    signal: new AbortController().signal,
    ...over,
  });
}

/** Lets tries without a wait between them follow each other. */
async function run(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) {
    await settle();
    clock.advance(0);
  }
}

async function claimed(over: Partial<FallbackClaim> = {}): Promise<string> {
  const claiming = claim(over);
  await run();
  return (await claiming).address;
}

test.each([
  [0, "10.254.254.1"],
  [0.5, "10.254.254.127"],
  [0.999999999, "10.254.254.253"],
])("random %d chooses %s, never a host below 1 or above 253", async (random, address) => {
  expect(await claimed({ random: () => random })).toBe(address);
});

test("every host from 1 to 253 can be chosen", async () => {
  const chosen = new Set<string>();
  for (let host = 1; host <= 253; host += 1) {
    chosen.add(await claimed({ random: () => (host - 0.5) / 253 }));
  }
  expect(chosen.size).toBe(253);
  expect([...chosen].every(isFallbackAddress)).toBe(true);
});

test("after a conflict an address follows that was not tried, and each conflict is told", async () => {
  const taken = new Set(["10.254.254.127", "10.254.254.128"]);
  const conflicts: { address: string; mac: string }[] = [];
  const address = await claimed({
    guard: guardOf(taken),
    onConflict: (conflict) => conflicts.push(conflict),
  });
  expect(asked.map((one) => one.address)).toEqual([
    ...conflicts.map((one) => one.address),
    address,
  ]);
  expect(new Set(asked.map((one) => one.address)).size).toBe(asked.length);
  expect(conflicts).toContainEqual({ address: "10.254.254.127", mac: MAC });
});

test("the address of before is tried first", async () => {
  expect(await claimed({ preferred: "10.254.254.42" })).toBe("10.254.254.42");
});

test("the address of before gives way to its new owner", async () => {
  const guard = guardOf(new Set(["10.254.254.42"]));
  expect(await claimed({ guard, preferred: "10.254.254.42" })).toBe("10.254.254.128");
});

test.each(["10.254.254.254", "10.254.254.255", "10.254.254.0", "192.168.1.5", "10.254.254.07", ""])(
  "%j is not used although it is preferred",
  async (preferred) => {
    expect(await claimed({ preferred })).toBe("10.254.254.127");
  },
);

test("an address that was lost while in use is not chosen again at once", async () => {
  const conflicts = new FallbackConflicts();
  conflicts.add("10.254.254.42");
  expect(await claimed({ conflicts, preferred: "10.254.254.42" })).not.toBe("10.254.254.42");
});

test("after ten conflicts one address a minute is tried, over all claims of an interface", async () => {
  const conflicts = new FallbackConflicts();
  const controller = new AbortController();
  const stopped = claim({ guard: guardOf("all"), conflicts, signal: controller.signal });
  await run();
  expect(asked.map(({ atMs }) => atMs)).toEqual(Array(10).fill(0));
  controller.abort(new Error("round is over"));
  await expect(stopped).rejects.toThrow("round is over");
  const claiming = claim({ conflicts });
  clock.advance(59_999);
  await run();
  expect(asked).toHaveLength(10);
  clock.advance(1);
  await run();
  expect(asked.at(-1)?.atMs).toBe(60_000);
  expect(isFallbackAddress((await claiming).address)).toBe(true);
});

test("a network where everything is taken is asked once a minute for hours, and none is left out", async () => {
  const controller = new AbortController();
  const claiming = claim({ guard: guardOf("all"), signal: controller.signal });
  await run();
  for (let minute = 0; minute < 300; minute += 1) {
    clock.advance(60_000);
    for (let turn = 0; turn < 5; turn += 1) await settle();
  }
  expect(asked).toHaveLength(310);
  expect(new Set(asked.map(({ address }) => address)).size).toBe(253);
  controller.abort(new Error("enough"));
  await expect(claiming).rejects.toThrow("enough");
});

test("an aborted claim asks nobody", async () => {
  await expect(claim({ signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
  expect(asked).toEqual([]);
});

test("a link that cannot be used ends the claim", async () => {
  const guard: AddressGuard = {
    probe: () => Promise.reject(new Error("the link is down")),
    defend: () => () => {},
  };
  const claiming = claim({ guard });
  claiming.catch(() => {});
  await run();
  await expect(claiming).rejects.toThrow("the link is down");
});
