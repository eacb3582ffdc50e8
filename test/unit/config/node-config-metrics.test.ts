import { expect, test } from "vitest";
import { METRICS_KEYS, overlayPorts } from "../../../src/config/node-config-metrics.ts";

const isAllowed = (value: unknown): boolean | undefined => METRICS_KEYS[0]?.isAllowed(value);

test("ports in the overlay are known to the packet filter", () => {
  expect(overlayPorts({ listen: ["127.0.0.1:1", "overlay:9200", "overlay:9201"] })).toStrictEqual([
    9200, 9201,
  ]);
});

test.each([
  [[]],
  [["127.0.0.1:9200", "[::1]:9200", "overlay:9200"]],
  [["127.1.2.3:1"]],
  [["overlay:65535"]],
])("%j may be read", (value) => {
  expect(isAllowed(value)).toBe(true);
});

test.each([
  ["127.0.0.1:9200"],
  [["0.0.0.0:9200"]],
  [["[::]:9200"]],
  [["192.168.1.2:9200"]],
  [["::1:9200"]],
  [["localhost:9200"]],
  [["127.0.0.1"]],
  [["127.0.0.1:0"]],
  [["127.0.0.1:65536"]],
  [["127.0.0.1:09"]],
  [["127.0.0.256:9200"]],
  [["127.0.0.1:9200\n"]],
  [[9200]],
])("%j is refused", (value) => {
  expect(isAllowed(value)).toBe(false);
});
