import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import {
  endProcess,
  identify,
  isAlive,
  type ProcessIdentity,
} from "../../../scripts/machine/process-identity.ts";

async function startSleeper(program = "sleep", args = ["3600"]) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  await once(child, "spawn");
  return { child, identity: identify(child.pid ?? 0) as ProcessIdentity };
}

test("recognises a process by start time and arguments", async () => {
  const { child, identity } = await startSleeper();
  expect(isAlive(identity, "3600")).toBe(true);
  expect(isAlive(identity, "other-word")).toBe(false);
  expect(isAlive({ ...identity, startTicks: identity.startTicks - 1 }, "3600")).toBe(false);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isAlive(identity, "3600")).toBe(false);
});

test("never touches a process whose pid was reused", async () => {
  const { child, identity } = await startSleeper();
  await endProcess({ ...identity, startTicks: 1 }, { word: "3600", graceMs: 100 });
  expect(child.exitCode ?? child.signalCode).toBeNull();
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("kills what does not listen", async () => {
  const { child, identity } = await startSleeper("sh", [
    "-c",
    "trap '' TERM; echo ready; while :; do sleep 3600; done",
  ]);
  await once(child.stdout, "data");
  const exit = once(child, "exit");
  await endProcess(identity, { word: "trap", graceMs: 200 });
  expect(await exit).toEqual([null, "SIGKILL"]);
});
