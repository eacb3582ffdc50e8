import { expect, test } from "vitest";
import { parseOpenPort, parseOrigin } from "../../../src/config/node-config-firewall.ts";

test.each([
  ["eth0", { kind: "interface", name: "eth0" }],
  ["br-lan.7", { kind: "interface", name: "br-lan.7" }],
  ["10.0.0.0/8", { kind: "network", family: 4, network: "10.0.0.0/8" }],
  ["10.0.0.1", { kind: "network", family: 4, network: "10.0.0.1/32" }],
  ["0.0.0.0/0", { kind: "network", family: 4, network: "0.0.0.0/0" }],
  ["fd00::/8", { kind: "network", family: 6, network: "fd00::/8" }],
  ["2001:db8::1", { kind: "network", family: 6, network: "2001:db8::1/128" }],
])("%s says where packets may come from", (text, origin) => {
  expect(parseOrigin(text)).toEqual(origin);
});

test.each([
  "",
  "10.0.0.0/",
  "10.0.0.0/33",
  "10.0.0.0/08",
  "10.0.0.0/8/8",
  "10.0.0",
  "10.0.0.256",
  "fe80::1%eth0",
  "fd00::/129",
  "eth0/24",
  "eth*",
  'a"b',
  "a b",
  "a;b",
  "sixteen-letters-",
])("%j says nothing of where packets come from", (text) => {
  expect(parseOrigin(text)).toBeUndefined();
});

test("a port is open by protocol and number", () => {
  expect(parseOpenPort("tcp/8080")).toEqual({ protocol: "tcp", port: 8080 });
  expect(parseOpenPort("udp/65535")).toEqual({ protocol: "udp", port: 65_535 });
});

test.each(["8080", "tcp/0", "tcp/65536", "tcp/080", "TCP/80", "sctp/80", "tcp/80 accept", "tcp/"])(
  "%j opens no port",
  (text) => {
    expect(parseOpenPort(text)).toBeUndefined();
  },
);
