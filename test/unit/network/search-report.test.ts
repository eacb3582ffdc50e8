import { expect, test } from "vitest";
import { nameList, SearchReport } from "../../../src/network/search-report.ts";
import type { NetworkMethod } from "../../../src/network/status.ts";

const tried = (method: NetworkMethod, reason: string, isReached = false) => {
  return { method, reason, isReached, endMs: 7 };
};

test("the reasons of an interface stand together, each once", () => {
  const report = new SearchReport();
  report.beginRound();
  report.add("eth0", tried("config", "no carrier"));
  report.add("eth1", tried("dhcp", "no DHCP answer after 15 s"));
  report.add("eth0", tried("dhcp", "no carrier"));
  report.add("eth1", tried("fallback", "no controller"));
  expect(report.trouble()).toBe("eth0: no carrier; eth1: no DHCP answer after 15 s, no controller");
});

test("four interfaces are named and the others counted", () => {
  const report = new SearchReport();
  for (const at of [0, 1, 2, 3, 4, 5]) report.add(`eth${at}`, tried("dhcp", "no carrier"));
  expect(report.trouble()).toMatch(/^eth0: .*; eth3: no carrier; and 2 more$/);
});

test("a method that was left out is shown but is no reason", () => {
  const report = new SearchReport();
  report.add("eth0", tried("fallback", "left out: no controller is configured"), true);
  report.add("eth0", tried("dhcp", "no carrier"));
  expect(report.trouble()).toBe("eth0: no carrier");
  expect(report.tried("eth0").map(({ method }) => method)).toEqual(["dhcp", "fallback"]);
});

test("reasons belong to their round, what was tried stays until it is tried again", () => {
  const report = new SearchReport();
  report.add("eth0", tried("dhcp", "no carrier"));
  report.beginRound();
  expect(report.trouble()).toBe("no network interface found");
  expect(report.tried("eth0")).toHaveLength(1);
  report.add("eth0", tried("dhcp", "10.0.2.15/24 by DHCP", true));
  expect(report.tried("eth0")).toEqual([tried("dhcp", "10.0.2.15/24 by DHCP", true)]);
});

test("lists of names stay short", () => {
  expect(nameList(["a", "b"])).toBe("a, b");
  expect(nameList(["a", "b", "c", "d", "e"])).toBe("a, b, c, d and 1 more");
});
