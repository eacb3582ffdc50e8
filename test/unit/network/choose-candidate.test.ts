import { expect, test } from "vitest";
import {
  type Candidate,
  type CandidateChoice,
  chooseCandidate,
} from "../../../src/network/choose-candidate.ts";

const candidate = (name: string, over: Partial<Candidate> = {}): Candidate => ({
  name,
  hasCarrier: true,
  askingSinceMs: 0,
  leaseSinceMs: null,
  otherSinceMs: null,
  isTried: false,
  ...over,
});

const choose = (nowMs: number, ...candidates: Candidate[]): CandidateChoice =>
  chooseCandidate(candidates, { nowMs, dhcpMs: 15_000, headStartMs: 2000, carrierUntilMs: 3000 });

test("the first interface with a lease is used at once", () => {
  const first = candidate("eth0", { leaseSinceMs: 500 });
  expect(choose(500, first, candidate("eth1", { leaseSinceMs: 100 }))).toEqual({
    action: "use",
    name: "eth0",
  });
});

test("an earlier one that still asks has a head start", () => {
  const later = candidate("eth1", { leaseSinceMs: 500 });
  expect(choose(500, candidate("eth0"), later)).toEqual({ action: "wait", untilMs: 2500 });
  expect(choose(2500, candidate("eth0"), later)).toEqual({ action: "use", name: "eth1" });
});

test("four dead ones cost one head start, not one limit each", () => {
  const dead = ["eth0", "eth1", "eth2", "eth3"].map((name) => candidate(name));
  const good = candidate("eth4", { leaseSinceMs: 100 });
  expect(choose(2100, ...dead, good)).toEqual({ action: "use", name: "eth4" });
});

test("an earlier one that gets its lease after a later one was tried comes next", () => {
  const tried = candidate("eth1", { leaseSinceMs: 500, isTried: true });
  const late = candidate("eth0", { leaseSinceMs: 4000 });
  expect(choose(4000, late, tried)).toEqual({ action: "use", name: "eth0" });
});

test("an earlier one whose time is over holds up nobody", () => {
  const later = candidate("eth1", { leaseSinceMs: 15_000 });
  expect(choose(15_000, candidate("eth0"), later)).toEqual({ action: "use", name: "eth1" });
});

test("one that was tried is not tried again", () => {
  expect(choose(4000, candidate("eth0", { leaseSinceMs: 0, isTried: true }))).toEqual({
    action: "end",
  });
});

test("an answer is waited for until the limit", () => {
  expect(choose(5000, candidate("eth0"))).toEqual({ action: "wait", untilMs: 15_000 });
  expect(choose(15_000, candidate("eth0"))).toEqual({ action: "end" });
});

test("interfaces without carrier are waited for once and then cost nothing", () => {
  const dark = candidate("eth0", { hasCarrier: false, askingSinceMs: null });
  expect(choose(1000, dark)).toEqual({ action: "wait", untilMs: 3000 });
  expect(choose(3000, dark)).toEqual({ action: "end" });
  const good = candidate("eth1", { leaseSinceMs: 1000 });
  expect(choose(1000, dark, good)).toEqual({ action: "use", name: "eth1" });
});

test("no interface at all is waited for as long as for carrier", () => {
  expect(choose(1000)).toEqual({ action: "wait", untilMs: 3000 });
  expect(choose(3000)).toEqual({ action: "end" });
});

test("addresses without DHCP count, but a lease has a head start on the same interface", () => {
  const slaac = candidate("eth0", { otherSinceMs: 1000 });
  expect(choose(1000, slaac)).toEqual({ action: "wait", untilMs: 3000 });
  expect(choose(3000, slaac)).toEqual({ action: "use", name: "eth0" });
  const asked = candidate("eth0", { otherSinceMs: 16_000 });
  expect(choose(16_000, asked)).toEqual({ action: "use", name: "eth0" });
});
