import type { Clock } from "../base/clock.ts";
import type { Publisher } from "../events/bus.ts";
import type { SequenceLock } from "../sequencer/lock.ts";
import { Sequence, type SequenceEvents, type SequenceOutcome } from "../sequencer/sequence.ts";
import { type BootMachine, buildBootSequence } from "./sequence.ts";

export interface BootOptions {
  readonly machine: BootMachine;
  readonly lock: SequenceLock;
  readonly clock: Clock;
  readonly events: Publisher<SequenceEvents>;
  /** How the phases ended. After `failed` the agent ends itself and PID 1 starts it again. */
  readonly onEnd: (outcome: SequenceOutcome) => void;
}

/** The boot of the machine: what `Services.boot` shows. */
export interface Boot extends Pick<Sequence, "timeline" | "finishedMs"> {
  /**
   * Runs until the machine goes down: after the last phase it still holds the lock, because lost
   * phases are retried for as long as nothing more important takes over.
   *
   * @throws AgentError `E_SEQUENCE_BUSY` while the machine goes down.
   */
  run(): Promise<void>;
}

export function createBoot(options: BootOptions): Boot {
  const { machine, lock, clock, events } = options;
  const phases = buildBootSequence(machine);
  const sequence = new Sequence({ name: "boot", phases, clock, events });
  return {
    timeline: () => sequence.timeline(),
    finishedMs: () => sequence.finishedMs(),
    run: () =>
      lock.run("boot", async (signal) => {
        const outcome = await sequence.run(signal);
        options.onEnd(outcome);
        if (outcome.state === "failed") return;
        await aborted(signal);
        await sequence.settled();
      }),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
