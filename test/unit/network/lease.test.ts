import { expect, test } from "vitest";
import { parseLease } from "../../../src/network/lease.ts";
import { buildResolvConf } from "../../../src/network/resolv-conf.ts";

const TEXT = [
  "interface=eth0",
  "address=10.0.2.15",
  "prefix=24",
  "gateway=10.0.2.2",
  "dns=10.0.2.3 10.0.2.4",
  "server=10.0.2.2",
  "client=212",
  "end=1",
  "",
].join("\n");

test("a lease file is read as the hook writes it", () => {
  expect(parseLease(TEXT)).toEqual({
    interface: "eth0",
    address: "10.0.2.15",
    prefix: 24,
    gateway: "10.0.2.2",
    dns: ["10.0.2.3", "10.0.2.4"],
    server: "10.0.2.2",
  });
});

test("a file that is cut anywhere before its last line is no lease", () => {
  for (let length = 0; length < TEXT.length - 2; length += 1) {
    expect(parseLease(TEXT.slice(0, length))).toBeUndefined();
  }
});

test("a network without router and name servers gives a lease without them", () => {
  const text = TEXT.replace(/gateway=.*/, "gateway=").replace(/dns=.*/, "dns=");
  expect(parseLease(text)).toMatchObject({ gateway: null, dns: [] });
});

test.each(["address=fe80::1", "address=", "prefix=33", "prefix=-1", "prefix=", "prefix=a"])(
  "%s is no lease",
  (line) => {
    const name = line.split("=")[0];
    expect(parseLease(TEXT.replace(new RegExp(`^${name}=.*`, "m"), line))).toBeUndefined();
  },
);

test("name servers come in order, once each, three at most", () => {
  const lease = (dns: string[]) => ({
    interface: "eth0",
    address: "10.0.0.2",
    prefix: 24,
    gateway: null,
    dns,
    server: "",
  });
  expect(
    buildResolvConf([lease(["1.1.1.1", "2.2.2.2"]), lease(["1.1.1.1", "3.3.3.3", "4.4.4.4"])]),
  ).toBe("nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n");
  expect(buildResolvConf([])).toBe("");
});
