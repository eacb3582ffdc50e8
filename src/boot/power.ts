import type { Power } from "../api/services.ts";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { CommandError } from "../command/command.ts";
import type { Publisher } from "../events/bus.ts";
import type { Logger } from "../log/logger.ts";
import type { SequenceLock } from "../sequencer/lock.ts";
import { Sequence, type SequenceEvents } from "../sequencer/sequence.ts";
import { buildStopSequence, type StopKind, type StopMachine } from "./shutdown.ts";

export interface PowerOptions {
  readonly machine: StopMachine;
  readonly lock: SequenceLock;
  readonly clock: Clock;
  readonly events: Publisher<SequenceEvents>;
  readonly log: Logger;
}

/**
 * `core.reboot` and `core.poweroff` of a machine. Each resolves as soon as it is certain that the
 * machine goes down; the stop itself begins after the caller's result had its chance to be published.
 */
export function machinePower(options: PowerOptions): Power {
  return {
    reboot: () => begin(options, "reboot"),
    poweroff: () => begin(options, "poweroff"),
  };
}

/** On a host the machine is not ours: both commands fail with code 406. */
export function hostPower(): Power {
  const refuse = async (what: string): Promise<never> => {
    throw new CommandError(
      406,
      `Cannot ${what}: this agent is a guest on a host, expected a machine booted by node0`,
    );
  };
  return { reboot: () => refuse("reboot"), poweroff: () => refuse("power off") };
}

async function begin(options: PowerOptions, kind: StopKind): Promise<void> {
  const { machine, lock, clock, events, log } = options;
  const { current } = lock;
  if (current === "reboot" || current === "poweroff") {
    throw new CommandError(412, `Cannot ${kind}: ${current} is already under way`);
  }
  lock
    .run(kind, async (signal) => {
      await nextTurn();
      const phases = buildStopSequence(machine, kind);
      await new Sequence({ name: kind, phases, clock, events }).run(signal);
    })
    .catch((error: unknown) => log.error("stop failed", { kind, cause: errorText(error) }));
}

/** Lets everything that is ready now run first: above all the publication of the caller's result. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
