import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Machine } from "../../scripts/machine/machine.ts";
import { BOOT_LIMIT_MS, call, openClient, PASSWORD, ROOT, shell, startNode } from "./support.ts";

/** A battery that died long ago. */
const OLD = "2015-01-01";
const DAY_S = 86_400;

let machine: Machine;
beforeAll(async () => {
  machine = await startNode({ clockBase: OLD });
  await machine.waitPong(PASSWORD, BOOT_LIMIT_MS);
});
afterAll(() => machine?.stop());

test("a clock that is years old is moved to the commit the image was built from", async () => {
  const client = openClient(machine);
  try {
    const { data } = await call(client, "info.version");
    const { revision } = JSON.parse(data) as { revision: string };
    const shown = execFileSync("git", ["-C", ROOT, "show", "-s", "--format=%ct", revision, "--"]);
    const commitS = Number(shown.toString().trim());
    const machineS = Number(await shell(client, "date +%s"));
    expect(machineS).toBeGreaterThanOrEqual(commitS);
    expect(machineS - commitS).toBeLessThan(DAY_S);
    const lines = await shell(client, "grep -h 'clock was older' /run/node0/agent.log");
    const line = JSON.parse(lines) as { level: string; movedMs: number };
    expect(line.level).toBe("warn");
    const movedS = line.movedMs / 1000;
    expect(Math.abs(movedS - (commitS - Date.parse(OLD) / 1000))).toBeLessThan(DAY_S);
  } finally {
    client.disconnect();
  }
});
