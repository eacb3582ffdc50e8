import { AgentError } from "../base/errors.ts";
import type { BlockDevice } from "./block-device.ts";
import { runProgram } from "./program.ts";

/**
 * Sets after which time without use a drive stops turning.
 *
 * @param timer Value of hdparm(8), -S: 0 never, 1 to 240 times 5 s.
 */
export async function setStandbyTimer(device: BlockDevice, timer: number): Promise<void> {
  await runProgram("hdparm", ["-S", String(timer), device.path]);
}

/** @throws AgentError `E_STANDBY` when the drive does not say. */
export async function isStandby(device: BlockDevice): Promise<boolean> {
  const { stdout } = await runProgram("hdparm", ["-C", device.path]);
  return parseDriveState(stdout);
}

/** Reads `drive state is:  standby`. Sleeping drives are in standby, too. */
export function parseDriveState(text: string): boolean {
  const [, state = ""] = /drive state is:\s*(\S+)/.exec(text) ?? [];
  if (state === "standby" || state === "sleeping") return true;
  if (/^(active|idle|active\/idle)/.test(state) || /^NVcache/.test(state)) return false;
  throw new AgentError(
    "E_STANDBY",
    `Cannot tell whether the drive is in standby: ${JSON.stringify(state)} seen, expected a drive state`,
  );
}
