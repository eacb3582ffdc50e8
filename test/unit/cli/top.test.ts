import { expect, test } from "vitest";
import { layOutPicture } from "../../../src/cli/top/layout.ts";
import { makePicture, type Picture, type Sample } from "../../../src/cli/top/picture.ts";

type Process = Sample["processes"][number];

const process = (pid: number, seconds: number, over: Partial<Process> = {}): Process =>
  ({
    pid,
    ppid: 1,
    name: `p${pid}`,
    createtime: 1,
    cpu: { user: seconds / 2, system: seconds / 2 },
    rss: 1024,
    ...over,
  }) as Process;

const sample = (atMs: number, processes: readonly Process[]): Sample => ({
  atMs,
  hostname: "host",
  uptimeS: 60,
  processors: 4,
  memory: { total: 1000, available: 400 } as Sample["memory"],
  processes,
  jobs: [],
});

test("counts processor time over the interval, the busiest first", () => {
  const picture = makePicture(
    sample(0, [process(1, 10), process(2, 0), process(3, 5)]),
    sample(2000, [process(1, 10.5), process(2, 2), process(3, 5)]),
  );
  expect(picture.processes.map(({ pid, cpuPercent }) => [pid, cpuPercent])).toEqual([
    [2, 100],
    [1, 25],
    [3, 0],
  ]);
  expect(picture).toMatchObject({ cpuPercent: 31.25, memoryUsed: 600, memoryTotal: 1000 });
});

test("a process that came in between, or took a pid over, counts from now on", () => {
  const picture = makePicture(
    sample(0, [process(1, 90)]),
    sample(1000, [process(1, 3, { createtime: 2 }), process(2, 50)]),
  );
  expect(picture.cpuPercent).toBe(0);
});

test.each([
  [{ columns: 40, rows: 8 }],
  [{ columns: 80, rows: 24 }],
  [{ columns: 10, rows: 3 }],
  [{ columns: 200, rows: 1 }],
])("fits into %j", (size) => {
  const picture: Picture = {
    ...makePicture(sample(0, []), sample(1, [])),
    processes: Array.from({ length: 50 }, (_, pid) => ({
      pid,
      name: "a-process-with-a-long-name",
      cpuPercent: 1,
      rss: 5000,
    })),
    jobs: Array.from({ length: 30 }, (_, index) => ({
      cpu: 1,
      rss: 1,
      vms: 1,
      swap: 0,
      starttime: 0,
      pid: 5,
      cmd: { id: `job-${index}`, command: "core.system", arguments: { name: "x" } },
    })) as unknown as Picture["jobs"],
  };
  const lines = layOutPicture(picture, {
    endpoint: "10.0.0.1:6379",
    nowMs: 1000,
    paint: (_style, text) => text,
    size,
  });
  expect(lines.length).toBeLessThanOrEqual(size.rows);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(size.columns);
  if (size.rows > 20) {
    expect(lines.some((line) => line.startsWith("job-0"))).toBe(true);
    expect(lines.some((line) => line.includes("a-process"))).toBe(true);
  }
});
