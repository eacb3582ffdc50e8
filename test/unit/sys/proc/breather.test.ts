import { expect, test } from "vitest";
import { Breather } from "../../../../src/sys/proc/breather.ts";

test("lets the event loop turn after every 64 units of work", async () => {
  let turns = 0;
  const count = () => {
    turns += 1;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  const breather = new Breather();
  for (let unit = 0; unit < 63; unit++) await breather.step();
  expect(turns).toBe(0);
  for (let unit = 0; unit < 641; unit++) await breather.step();
  clearImmediate(immediate);
  expect(turns).toBeGreaterThanOrEqual(10);
});
