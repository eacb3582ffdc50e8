import { setTimeout as sleep } from "node:timers/promises";
import type { Core } from "./agent-core.ts";
import type { Listeners } from "./api/listeners.ts";
import type { StopMachine } from "./boot/shutdown.ts";
import { initPower } from "./sys/power-linux.ts";

const JOBS_POLL_MS = 50;
const SIGKILL = 9;

/** What going down asks of the core; PID 1 does the rest. */
export function stopMachine({ engine, endpoint, log }: Core, listeners: Listeners): StopMachine {
  return {
    flushResults: () => endpoint.drain(),
    closeApi: async () => {
      listeners.stop();
      endpoint.closeNetwork();
    },
    // Services that would be started again too.
    terminateJobs: () => engine.stop(),
    jobsGone: async (signal) => {
      while (engine.pids().length > 0) await sleep(JOBS_POLL_MS, undefined, { signal });
    },
    killJobs: async () => {
      for (const job of engine.list()) {
        try {
          engine.kill(String(job.cmd["id"]), SIGKILL);
        } catch {
          // It waits in a queue and has no process.
        }
      }
    },
    goDown: (kind) => {
      log.info("machine goes down", { kind });
      engine.stop();
      if (kind === "reboot") initPower.requestReboot();
      else initPower.requestPoweroff();
    },
  };
}
