import { expect, test } from "vitest";
import { nextPhaseState, type PhaseEvent } from "../../../src/sequencer/transitions.ts";
import type { PhaseState } from "../../../src/sequencer/types.ts";

const STATES: PhaseState[] = ["pending", "running", "retrying", "done", "skipped", "failed"];
const LEGAL: [PhaseState, PhaseEvent, PhaseState][] = [
  ["pending", "start", "running"],
  ["pending", "skip", "skipped"],
  ["pending", "cancel", "pending"],
  ["running", "attempt-failed", "retrying"],
  ["running", "succeed", "done"],
  ["running", "give-up", "failed"],
  ["running", "cancel", "failed"],
  ["retrying", "attempt-failed", "retrying"],
  ["retrying", "succeed", "done"],
  ["retrying", "give-up", "failed"],
  ["retrying", "cancel", "failed"],
  ["done", "lost", "retrying"],
  ["done", "cancel", "done"],
  ["skipped", "cancel", "skipped"],
  ["failed", "cancel", "failed"],
];
const EVENTS: PhaseEvent[] = [...new Set(LEGAL.map(([, event]) => event))];

test.each(STATES.flatMap((state) => EVENTS.map((event) => [state, event] as const)))(
  "a phase that is %s answers to %s as the table says",
  (state, event) => {
    const legal = LEGAL.find(([from, by]) => from === state && by === event);
    expect(nextPhaseState(state, event)).toBe(legal?.[2] ?? null);
  },
);
