import type { CommandObject, JobIntake, JobResult, JobSink } from "../../src/job/types.ts";

/**
 * An engine that finishes every job at once with success, inside `submit`. Commands named `fail`
 * end in ERROR; those named `later` wait until {@link FakeEngine.finishLater} is called.
 */
export class FakeEngine implements JobIntake {
  readonly submitted: string[] = [];
  isRoomy = true;
  readonly #sink: JobSink;
  readonly #later: (() => void)[] = [];
  #onRoom: () => void = () => {};

  constructor(sink: JobSink) {
    this.#sink = sink;
  }

  submit(text: string): void {
    this.submitted.push(text);
    const { id, command } = JSON.parse(text) as { id: string; command: string };
    if (this.#sink.isKnown(id)) return;
    this.#sink.accepted(id);
    const finish = (): void => this.#sink.finished(resultOf(id, command));
    if (command === "later") this.#later.push(finish);
    else finish();
  }

  hasRoom(): boolean {
    return this.isRoomy;
  }

  onRoom(listener: () => void): void {
    this.#onRoom = listener;
  }

  /** Makes room and says so. */
  makeRoom(): void {
    this.isRoomy = true;
    this.#onRoom();
  }

  finishLater(): void {
    for (const finish of this.#later.splice(0)) finish();
  }

  run({ id, command, arguments: args }: CommandObject): Promise<JobResult> {
    this.submitted.push(JSON.stringify({ id, command, arguments: args }));
    const isFailing = (args as { fail?: boolean } | undefined)?.fail === true;
    return Promise.resolve(isFailing ? failureOf(id, command) : resultOf(id, command));
  }
}

function resultOf(id: string, command: string): JobResult {
  return {
    id,
    command,
    data: '"PONG"',
    streams: ["", ""],
    level: 20,
    state: "SUCCESS",
    code: 0,
    starttime: 1_795_168_462_881,
    time: 0,
    tags: null,
    container: 0,
  };
}

function failureOf(id: string, command: string): JobResult {
  return { ...resultOf(id, command), data: '"bad <thing>\\nsecond"', state: "ERROR", code: 500 };
}
