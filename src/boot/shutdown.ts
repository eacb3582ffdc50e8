import type { Phase } from "../sequencer/phase.ts";

export type StopKind = "reboot" | "poweroff";

/** What going down asks of the machine. Every member may be called when its part never started. */
export interface StopMachine {
  /** Resolves when results published so far have been handed to the clients that wait for them. */
  flushResults(): Promise<void>;
  /** Closes the network listener; the unix socket stays for whoever watches. */
  closeApi(): Promise<void>;
  /** Signal 15 to every job. */
  terminateJobs(): void;
  /** Resolves when no job has a process any more. */
  jobsGone(signal: AbortSignal): Promise<void>;
  /** Signal 9 to the process groups of the jobs that are left. */
  killJobs(): Promise<void>;
  /** Hands over to PID 1, which ends everything that is left within its own time limit. */
  goDown(kind: StopKind): void;
}

/**
 * How long each part of the stop may take, in milliseconds. Together they stay below 10 s, because PID 1
 * has 20 s of its own (`LIMIT_S` in initramfs/root/usr/lib/node0/shutdown) and all of it ends within 30.
 */
export const STOP_LIMITS = { flushMs: 1000, closeMs: 500, jobsMs: 5000, killMs: 2000 } as const;

/**
 * The phases of going down, in order. None of them can hold the machine up: a phase that fails or
 * takes too long is noted, and the next one runs.
 */
export function buildStopSequence(machine: StopMachine, kind: StopKind): Phase[] {
  return [
    step("results", STOP_LIMITS.flushMs, () => machine.flushResults(), "results handed out"),
    step("api.close", STOP_LIMITS.closeMs, () => machine.closeApi(), "no new connections"),
    step(
      "jobs.terminate",
      STOP_LIMITS.jobsMs,
      (signal) => {
        machine.terminateJobs();
        return machine.jobsGone(signal);
      },
      "all jobs ended",
    ),
    step("jobs.kill", STOP_LIMITS.killMs, () => machine.killJobs(), "no job left"),
    step(kind, STOP_LIMITS.closeMs, async () => machine.goDown(kind), "PID 1 takes over"),
  ];
}

function step(
  id: string,
  attemptLimitMs: number,
  action: (signal: AbortSignal) => Promise<void>,
  reached: string,
): Phase {
  return {
    id,
    attemptLimitMs,
    onFailure: "continue",
    run: async ({ signal }) => {
      await action(signal);
      return reached;
    },
  };
}
