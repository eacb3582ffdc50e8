import { AgentError } from "../base/errors.ts";
import { listDevices, pathOfRow } from "./lsblk.ts";
import { runProgram } from "./program.ts";

/**
 * Makes the partition of a partition UUID read-only, and its disk, until the machine starts again. The
 * kernel keeps that, so an agent that starts again finds it: every command that would write to such a
 * disk refuses. No match is a success.
 *
 * @throws AgentError `E_PARTUUID` without UUID; CommandError when a program fails.
 */
export async function protectPartition(uuid: string): Promise<void> {
  if (uuid === "") {
    throw new AgentError(
      "E_PARTUUID",
      'Cannot protect a disk: partuuid "" seen, expected the UUID of a partition',
    );
  }
  for (const row of await listDevices({ bytes: true })) {
    const match = (row.children ?? []).find((child) => isSame(child["partuuid"], uuid));
    if (match === undefined) continue;
    const paths = [match, row].map(pathOfRow);
    await runProgram("blockdev", ["--setro", ...paths]);
  }
}

function isSame(seen: unknown, wanted: string): boolean {
  return typeof seen === "string" && seen.toLowerCase() === wanted.toLowerCase();
}
