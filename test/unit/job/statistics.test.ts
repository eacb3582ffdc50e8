import { expect, test } from "vitest";
import { setUp } from "./harness.ts";

test("a job with stats_interval is measured while its process runs", () => {
  const { clock, heard, processes, startProgram } = setUp();
  const program = startProgram({ stats_interval: 2 });
  processes.cpuMs = 500;
  clock.advance(2000);
  processes.cpuMs = 2500;
  clock.advance(2000);
  const lines = heard.filter(({ level }) => level === 10).map(({ text }) => text);
  expect(lines).toEqual([
    "job.cpu:25|A|id=a",
    "job.memory:101|A|id=a",
    "job.cpu:100|A|id=a",
    "job.memory:101|A|id=a",
  ]);
  program.end({ code: 0 });
  clock.advance(10_000);
  expect(clock.pendingTimers).toBe(0);
  expect(heard.filter(({ level }) => level === 10)).toHaveLength(4);
});

test("its lines are no output: neither stream nor result nor followers have them", () => {
  const { clock, engine, sink, startProgram } = setUp();
  const seen: string[] = [];
  const program = startProgram({ stats_interval: 1, stream: true });
  engine.follow("a", { jobId: "b", message: (message) => seen.push(message?.text ?? "") });
  clock.advance(5000);
  program.end({ code: 0 });
  expect([seen, sink.textsOf("a")]).toEqual([[""], [""]]);
});

test("an id cannot break the line", () => {
  const { clock, heard, startProgram } = setUp();
  startProgram({ id: "a|D,x=1\n", stats_interval: 1 });
  clock.advance(1000);
  expect(heard[0]?.text).toBe("job.cpu:0|A|id=a_D_x_1_");
});

test("without stats_interval nothing is measured", () => {
  const { clock, heard, startProgram } = setUp();
  startProgram();
  clock.advance(60_000);
  expect(heard).toEqual([]);
});
