import { describe, expect, test } from "vitest";
import { CpuShare, collectDescendants } from "../../../../src/sys/proc/usage.ts";

describe("descendants", () => {
  const parents = new Map([
    [1, 0],
    [10, 1],
    [11, 10],
    [12, 11],
    [20, 1],
  ]);

  test("are the roots and everything below them, each once", () => {
    expect([...collectDescendants([10, 11], parents)].sort()).toStrictEqual([10, 11, 12]);
  });

  test("leave out roots that have ended", () => {
    expect([...collectDescendants([99, 20], parents)]).toStrictEqual([20]);
  });

  test("end even where the table contradicts itself", () => {
    expect(
      collectDescendants(
        [5],
        new Map([
          [5, 6],
          [6, 5],
        ]),
      ).size,
    ).toBe(2);
  });
});

describe("share of the processor", () => {
  const sample = (pid: number, startTicks: number, cpuTicks: number) => ({
    pid,
    startTicks,
    cpuTicks,
  });

  test("is 0 at the first query", () => {
    expect(new CpuShare().next([sample(1, 5, 1000)], 0)).toBe(0);
  });

  test("is what was used since the previous query, over one processor", () => {
    const share = new CpuShare();
    share.next([sample(1, 5, 1000), sample(2, 6, 10)], 0);
    expect(share.next([sample(1, 5, 1100), sample(2, 6, 60)], 1000)).toBe(150);
  });

  test("counts a process that began meanwhile from its start, even under a known pid", () => {
    const share = new CpuShare();
    share.next([sample(1, 5, 1000)], 0);
    expect(share.next([sample(1, 90, 20)], 2000)).toBe(10);
  });

  test("is 0 where no time has passed", () => {
    const share = new CpuShare();
    share.next([], 7);
    expect(share.next([sample(1, 5, 1000)], 7)).toBe(0);
  });
});
