import type { MachinePower } from "./power.ts";

/** Asks the init of the image. Its shutdown script kills, unmounts, syncs and always ends. */
export const initPower: MachinePower = {
  requestReboot: () => signalInit("SIGTERM"),
  requestPoweroff: () => signalInit("SIGUSR2"),
};

/** busybox init: SIGTERM reboots, SIGUSR2 powers off, SIGUSR1 halts. Source: its init/init.c. */
function signalInit(signal: "SIGTERM" | "SIGUSR2"): void {
  process.kill(1, signal);
}
