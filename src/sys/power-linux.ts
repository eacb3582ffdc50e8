import { writeFileSync } from "node:fs";
import type { MachinePower } from "./power.ts";

/** Read by the shutdown script of the image: init does not tell it what it was asked for. */
const KIND_FILE = "/run/node0/power";

/**
 * Asks the init of the image. Its shutdown script kills, unmounts, syncs and always ends.
 *
 * busybox init: SIGTERM reboots, SIGUSR2 powers off, SIGUSR1 halts. Source: its init/init.c.
 */
export const initPower: MachinePower = {
  requestReboot: () => signalInit("reboot", "SIGTERM"),
  requestPoweroff: () => signalInit("poweroff", "SIGUSR2"),
};

function signalInit(kind: string, signal: "SIGTERM" | "SIGUSR2"): void {
  try {
    writeFileSync(KIND_FILE, `${kind}\n`);
  } catch {
    // The signal alone is enough as long as nothing hangs; the file decides what a forced end does.
  }
  process.kill(1, signal);
}
