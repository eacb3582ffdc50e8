import type { Redis } from "ioredis";
import { expect } from "vitest";
import type { PhaseStatus } from "../../../src/sequencer/types.ts";
import { BOOT_LIMIT_MS, call } from "../support.ts";

interface BootStatus {
  readonly phases: readonly PhaseStatus[];
  readonly finished_ms: number | null;
}

/** The phases of a machine by name. */
export type Phases = Readonly<Record<string, PhaseStatus>>;

export async function readPhases(client: Redis): Promise<Phases> {
  const { phases } = JSON.parse((await call(client, "boot.status")).data) as BootStatus;
  return Object.fromEntries(phases.map((status) => [status.phase, status]));
}

/** Waits until no phase is under way any more. @returns them. */
export async function waitBooted(client: Redis): Promise<Phases> {
  const look = async (): Promise<string[]> =>
    Object.values(await readPhases(client))
      .filter(({ state }) => state !== "done" && state !== "skipped")
      .map(({ phase, state, reason }) => `${phase} ${state} ${reason}`);
  await expect.poll(look, { timeout: BOOT_LIMIT_MS }).toEqual([]);
  return readPhases(client);
}
