import { expect, test } from "vitest";
import { RespawnDelay } from "../../../src/job/respawn-delay.ts";

test("waits grow by half up to five minutes, and begin anew after a run of five minutes", () => {
  const delay = new RespawnDelay();
  expect([delay.next(0), delay.next(0), delay.next(0)]).toEqual([2000, 3000, 4500]);
  for (let run = 0; run < 20; run += 1) delay.next(0);
  expect(delay.next(299_999)).toBe(300_000);
  expect(delay.next(300_000)).toBe(2000);
  expect(delay.next(0)).toBe(3000);
});
