import type { PhaseState } from "./types.ts";

/** What happens to a phase; the engine raises these, phases never do. */
export type PhaseEvent =
  | "start"
  | "skip"
  | "attempt-failed"
  | "succeed"
  | "give-up"
  | "lost"
  | "cancel";

type Row = Readonly<Record<PhaseEvent, PhaseState | null>>;

/** null: the event cannot happen in that state. A cancelled phase ends as `failed`. */
const TABLE: Readonly<Record<PhaseState, Row>> = {
  pending: row({ start: "running", skip: "skipped", cancel: "pending" }),
  running: row({
    "attempt-failed": "retrying",
    succeed: "done",
    "give-up": "failed",
    cancel: "failed",
  }),
  retrying: row({
    "attempt-failed": "retrying",
    succeed: "done",
    "give-up": "failed",
    cancel: "failed",
  }),
  done: row({ lost: "retrying", cancel: "done" }),
  skipped: row({ cancel: "skipped" }),
  failed: row({ cancel: "failed" }),
};

/** The state after `event`, or null where the event makes no sense in `state`. */
export function nextPhaseState(state: PhaseState, event: PhaseEvent): PhaseState | null {
  return TABLE[state][event];
}

function row(given: Partial<Record<PhaseEvent, PhaseState>>): Row {
  return {
    start: null,
    skip: null,
    "attempt-failed": null,
    succeed: null,
    "give-up": null,
    lost: null,
    cancel: null,
    ...given,
  };
}
