import { expect, test } from "vitest";
import {
  formatChoice,
  type NetworkChoice,
  parseChoice,
} from "../../../src/network/network-choice.ts";

const CHOICES: NetworkChoice[] = [
  { method: "config" },
  { method: "dhcp", interface: "enp0s31f6" },
  { method: "fallback", interface: "eth0", address: "10.254.254.17" },
];

test.each(CHOICES)("a choice by $method is found again", (choice) => {
  expect(parseChoice(formatChoice(choice))).toEqual(choice);
});

test.each([
  undefined,
  "",
  "{",
  "null",
  "[]",
  "7",
  '{"method":"dhcp"}',
  '{"method":"other","interface":"eth0"}',
  '{"method":"dhcp","interface":"../../etc/passwd"}',
  '{"method":"dhcp","interface":"a-name-of-more-than-fifteen"}',
  '{"method":"fallback","interface":"eth0"}',
  '{"method":"fallback","interface":"eth0","address":"192.168.1.1"}',
])("%s is no choice, so the search begins as on a fresh machine", (text) => {
  expect(parseChoice(text)).toBeUndefined();
});
