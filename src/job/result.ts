import type { Capture } from "./capture.ts";
import type { RunOutcome } from "./run.ts";
import type { CommandObject, JobResult } from "./types.ts";

/** Builds the result of a job from its last run, members in published order (wire protocol 5). */
export function buildResult(run: {
  command: CommandObject;
  outcome: RunOutcome;
  capture: Capture;
  startedMs: number;
  durationMs: number;
}): JobResult {
  const { command, outcome, capture } = run;
  const critical = outcome.panic ?? capture.critical;
  return {
    id: command.id,
    command: command.command,
    data: outcome.reason ?? capture.data,
    ...(outcome.hasStreams ? { streams: capture.streams() } : {}),
    ...(critical === "" ? {} : { critical }),
    level: capture.level,
    state: outcome.state,
    code: outcome.code,
    starttime: run.startedMs,
    time: Math.max(0, Math.round(run.durationMs)),
    tags: command.tags,
    container: 0,
  };
}

/** The result of a command nobody knows (wire protocol 4.5). */
export function unknownCommand(command: CommandObject): JobResult {
  return {
    id: command.id,
    command: command.command,
    data: "",
    level: 0,
    state: "UNKNOWN_CMD",
    code: 0,
    starttime: 0,
    time: 0,
    tags: command.tags,
    container: 0,
  };
}
