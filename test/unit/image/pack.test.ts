import { expect, test } from "vitest";
import { formatHints } from "../../../src/image/pack.ts";

test("hot paths keep the algorithm that was chosen, everything else gets the smallest", () => {
  expect(formatHints("lz4hc,12", ["usr/bin/busybox", "usr/lib/libstdc++"])).toBe(
    "65536 0 ^/?usr/bin/busybox\n65536 0 ^/?usr/lib/libstdc\\+\\+\n262144 1 .*\n",
  );
});

test("where the smallest was chosen there is one algorithm", () => {
  expect(formatHints("zstd,19", [])).toBe("262144 0 .*\n");
});
