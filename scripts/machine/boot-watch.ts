import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../src/client/connect.ts";
import type { PhaseStatus } from "../../src/sequencer/types.ts";
import type { Machine } from "./machine.ts";
import { parsePhaseLines } from "./phase-lines.ts";
import type { Progress } from "./progress.ts";

export interface BootWatch {
  readonly password: string;
  readonly port: number;
  /** Whether sshd has to answer as well. */
  readonly hasSsh: boolean;
  /** For the first answer and again for the last phase. */
  readonly timeoutMs: number;
  readonly progress: Progress;
}

export interface BootOutcome {
  readonly timeline: readonly PhaseStatus[];
  /** From the start of the processors to the first authenticated PONG; null without a network. */
  readonly answeredMs: number | null;
  /** The same to the first words of sshd; null without it. */
  readonly sshMs: number | null;
}

interface BootStatus {
  readonly phases: readonly PhaseStatus[];
  readonly finished_ms: number | null;
}

const POLL_MS = 100;
const CALL_LIMIT_MS = 5000;

/**
 * Follows a boot to its end: the serial line tells the phases until the endpoint answers, after that
 * the machine itself does.
 *
 * @throws AgentError of `Machine.waitPong` or `Machine.waitSsh` when one of them never answers.
 */
export async function watchBoot(machine: Machine, watch: BootWatch): Promise<BootOutcome> {
  const { progress } = watch;
  const follower = new AbortController();
  const following = followSerial(machine, progress, follower.signal);
  try {
    const [[answeredMs, timeline], sshMs] = await Promise.all([
      machine
        .waitPong(watch.password, watch.timeoutMs)
        .then(async (answered) => [answered, await waitFinished(watch)] as const),
      watch.hasSsh ? machine.waitSsh(watch.timeoutMs) : null,
    ]);
    return { timeline, answeredMs, sshMs };
  } finally {
    follower.abort();
    await following;
    progress.show(parsePhaseLines(machine.serial()));
    progress.end();
  }
}

/** Follows the serial line only, for a machine that cannot be reached: ends with its first retry. */
export async function watchSerialBoot(
  machine: Machine,
  { timeoutMs, progress }: Pick<BootWatch, "timeoutMs" | "progress">,
): Promise<void> {
  const follower = new AbortController();
  const following = followSerial(machine, progress, follower.signal);
  try {
    await machine.waitSerial(/^\[ *\d+\.\d{3}\] (api +(done|failed)|\S+ +retrying)/m, {
      timeoutMs,
    });
  } finally {
    follower.abort();
    await following;
    progress.end();
  }
}

async function followSerial(
  machine: Machine,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const serial = machine.serial();
    // The last line may still be on its way, and is shown only once.
    progress.show(parsePhaseLines(serial.slice(0, serial.lastIndexOf("\n") + 1)));
    await sleep(POLL_MS);
  }
}

/**
 * Waits for the last phase, and for that of sshd, which the boot does not wait for. What still retries
 * something when the time is over is reported as it stands.
 */
async function waitFinished({ port, password, hasSsh, timeoutMs }: BootWatch) {
  using client = await connect({ port, password, timeoutMs: CALL_LIMIT_MS });
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const status = (await client.value(
      "boot.status",
      {},
      {
        timeoutMs: CALL_LIMIT_MS,
      },
    )) as BootStatus;
    const isOver =
      status.finished_ms !== null &&
      (!hasSsh || status.phases.some(({ phase, state }) => phase === "ssh" && state === "done"));
    if (isOver || performance.now() > deadlineMs) return status.phases;
    await sleep(POLL_MS);
  }
}
