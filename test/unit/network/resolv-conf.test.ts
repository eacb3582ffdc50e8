import { expect, test } from "vitest";
import { formatResolvConf } from "../../../src/network/resolv-conf.ts";

test("servers and search domains stand in order of preference, each once", () => {
  const text = formatResolvConf({
    servers: ["10.0.0.2", "fe80::1%eth0", "10.0.0.2"],
    search: ["lab.example", "example", "lab.example"],
  });
  expect(text).toBe("nameserver 10.0.0.2\nnameserver fe80::1%eth0\nsearch lab.example example\n");
});

test("without servers and domains the text is empty", () => {
  expect(formatResolvConf({ servers: [], search: [] })).toBe("");
});

test("more than three servers or six domains are left out", () => {
  const numbers = ["1", "2", "3", "4", "5", "6", "7"];
  const text = formatResolvConf({
    servers: numbers.map((number) => `10.0.0.${number}`),
    search: numbers.map((number) => `d${number}.example`),
  });
  expect(text.match(/nameserver/g)).toHaveLength(3);
  expect(text).toContain(
    "search d1.example d2.example d3.example d4.example d5.example d6.example\n",
  );
});

test("search domains have 256 characters at most, whole domains only", () => {
  const long = `${"x".repeat(60)}.${"y".repeat(60)}`;
  const text = formatResolvConf({ servers: [], search: [long, `a.${long}`, `b.${long}`] });
  expect(text).toBe(`search ${long} a.${long}\n`);
});

test("a value that could be more than one word of a line is left out", () => {
  const text = formatResolvConf({
    servers: ["10.0.0.2\nnameserver 10.6.6.6", "10.0.0.3"],
    search: ["a b", "a\tb", "a;b", "good.example"],
  });
  expect(text).toBe("nameserver 10.0.0.3\nsearch good.example\n");
});
