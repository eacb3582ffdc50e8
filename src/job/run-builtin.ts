import { isPromise } from "node:util/types";
import { errorText } from "../base/errors.ts";
import { CommandError, type JobHandle } from "../command/command.ts";
import { LEVEL } from "./capture.ts";
import { FinalMessage } from "./final-message.ts";
import { formatJson } from "./format.ts";
import { isLimited } from "./job-cgroups.ts";
import { FLAG, IDLE_RUN, type Run, type RunEvents } from "./run.ts";
import type { CommandObject, Executable } from "./types.ts";

type Builtin = Extract<Executable, { kind: "builtin" }>;

/** Runs a built-in. One that does not return a promise is over when this returns. */
export function startBuiltin(
  builtin: Builtin,
  options: { command: CommandObject; signal: AbortSignal; events: RunEvents },
): Run {
  const { command, signal, events } = options;
  if (command.limits !== undefined && isLimited(command.limits)) {
    fail(events, new CommandError(400, "Cannot limit a built-in command: it is no process"));
    return IDLE_RUN;
  }
  const job: JobHandle = {
    id: command.id,
    emit: (level, text) => events.emit(level, text, 0),
    signal,
  };
  let value: unknown;
  try {
    value = builtin.run(command.arguments, job);
  } catch (error) {
    fail(events, error);
    return IDLE_RUN;
  }
  if (isPromise(value)) {
    value.then(
      (settled) => succeed(builtin, events, settled),
      (error: unknown) => fail(events, error),
    );
  } else {
    succeed(builtin, events, value);
  }
  return IDLE_RUN;
}

/** The code of every failure that does not say its own (wire protocol 5.2). */
const INTERNAL_ERROR = 500;

function succeed(builtin: Builtin, events: RunEvents, value: unknown): void {
  if (value instanceof FinalMessage) {
    const { level, text, isSuccess } = value;
    events.emit(level, text, isSuccess ? FLAG.success : FLAG.error);
    events.ended({ state: isSuccess ? "SUCCESS" : "ERROR", code: 0, hasStreams: true });
    return;
  }
  let text = "";
  try {
    if (builtin.level !== 0) text = formatJson(value);
  } catch (error) {
    fail(events, error);
    return;
  }
  events.emit(builtin.level === 0 ? LEVEL.stdout : LEVEL.json, text, FLAG.success);
  events.ended({ state: "SUCCESS", code: 0, hasStreams: true });
}

function fail(events: RunEvents, error: unknown): void {
  const code = error instanceof CommandError ? error.code : INTERNAL_ERROR;
  // The message of a CommandError may quote the output of a program, line ends included.
  const text = error instanceof CommandError ? error.message : errorText(error);
  events.emit(LEVEL.json, formatJson(text), FLAG.error);
  events.ended({ state: "ERROR", code, hasStreams: true });
}
