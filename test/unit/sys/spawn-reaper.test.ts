import { expect, test } from "vitest";
import { parseWaitStatus } from "../../../src/sys/spawn-reaper.ts";

test.each([
  [0x0000, { code: 0, signal: null }],
  [0x0300, { code: 3, signal: null }],
  [0xff00, { code: 255, signal: null }],
  [0x0009, { code: null, signal: 9 }],
  [0x000f, { code: null, signal: 15 }],
  // Bit 7: a core was dumped.
  [0x008b, { code: null, signal: 11 }],
])("wait status %i is split", (status, exit) => {
  expect(parseWaitStatus(status)).toEqual(exit);
});
