import { expect, test } from "vitest";
import { ownCommand } from "../../../src/job/own-command.ts";
import type { CommandObject } from "../../../src/job/types.ts";
import { setUp } from "./harness.ts";

const own = (id: string): CommandObject => ownCommand(id, "slow", { recurringPeriod: 30 });

test("jobs of the node's own take no room from those of clients", () => {
  const { engine, startProgram } = setUp({ maxJobs: 1 });
  for (const id of ["monitor.cpu", "monitor.disk"]) engine.start(own(id));
  expect(engine.hasRoom()).toBe(true);
  let told = 0;
  engine.onRoom(() => {
    told += 1;
  });
  const program = startProgram({ id: "client" });
  expect(engine.hasRoom()).toBe(false);
  program.end({ code: 0 });
  expect(engine.hasRoom()).toBe(true);
  expect(told).toBe(1);
});
