import { BACKLOG_MESSAGES, STREAM_MESSAGES, STREAM_UNITS } from "./limits.ts";
import { MessageRing } from "./message-ring.ts";
import type { JobMessage } from "./types.ts";

/** Message levels with an effect on the result (wire protocol 7.1). */
export const LEVEL = {
  stdout: 1,
  stderr: 2,
  critical: 9,
  statistics: 10,
  json: 20,
  yaml: 21,
  toml: 22,
  hrd: 23,
  job: 30,
};

/** What the messages of one run leave in its result (wire protocol 5 and 7.4). */
export class Capture {
  #stdout: MessageRing<JobMessage> | undefined;
  #stderr: MessageRing<JobMessage> | undefined;
  readonly #backlog = new MessageRing<JobMessage>({
    messages: BACKLOG_MESSAGES,
    units: STREAM_UNITS,
  });
  /** Text of the last result message and its level; level 0: there was none. */
  data = "";
  level = 0;
  critical = "";

  record(message: JobMessage): void {
    this.#backlog.push(message);
    const { level, text } = message;
    if (level === LEVEL.stdout) {
      this.#stdout ??= openStream();
      this.#stdout.push(message);
    } else if (level === LEVEL.stderr) {
      this.#stderr ??= openStream();
      this.#stderr.push(message);
    } else if (level === LEVEL.critical) {
      this.critical = text;
    } else if (isResultLevel(level)) {
      this.data = text;
      this.level = level;
    }
  }

  streams(): [string, string] {
    return [this.#stdout?.text() ?? "", this.#stderr?.text() ?? ""];
  }

  /** The last messages of all levels, for who starts to follow the job. */
  backlog(): readonly JobMessage[] {
    return this.#backlog.entries();
  }
}

function openStream(): MessageRing<JobMessage> {
  return new MessageRing({ messages: STREAM_MESSAGES, units: STREAM_UNITS });
}

function isResultLevel(level: number): boolean {
  return (level >= LEVEL.json && level <= LEVEL.hrd) || level === LEVEL.job;
}
