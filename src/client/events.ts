import type { JobResult } from "../job/types.ts";
import type { Channel } from "./connection.ts";
import { Handover } from "./handover.ts";
import type { Channels } from "./pool.ts";
import { parseResult } from "./result.ts";
import { parseRecord, type StreamMessage } from "./stream.ts";

/** `boot`, `log` (messages of all jobs), or one job. */
export type EventChannel = "boot" | "log" | `job:${string}`;

/** A step of the boot: a phase that changed, or a sequence that began or ended. Times are from kernel start. */
export interface BootEvent {
  readonly number: number;
  readonly type: string;
  readonly [member: string]: unknown;
}

export type NodeEvent =
  | { readonly kind: "boot"; readonly event: BootEvent }
  | { readonly kind: "message"; readonly message: StreamMessage }
  | { readonly kind: "result"; readonly result: JobResult }
  /** The reader was too slow for that many. */
  | { readonly kind: "missed"; readonly count: number };

/** Events that wait for a slow loop; above it nothing is read, and the node counts what is missed. */
const MAX_WAITING = 1000;

/** Everything the node pushes on one channel; ends with the job of a `job:<id>`, else never. */
export async function* readEvents(
  pool: Channels,
  channel: EventChannel,
  signal: AbortSignal,
): AsyncGenerator<NodeEvent, void> {
  const left = new AbortController();
  const events = new Handover<NodeEvent>(() => left.abort());
  const listen = (connection: Channel) => {
    let waiting = 0;
    return connection.subscribe(
      channel,
      (text) => {
        waiting += 1;
        if (waiting === MAX_WAITING) connection.pause(true);
        void events.put(parseEvent(channel, text)).then(() => {
          if (waiting === MAX_WAITING) connection.pause(false);
          waiting -= 1;
        });
      },
      AbortSignal.any([left.signal, signal]),
    );
  };
  pool.use(listen, signal).then(
    () => events.end(),
    (error) => events.end({ error }),
  );
  for await (const event of events) {
    yield event;
    if (event.kind === "result") return;
  }
}

function parseEvent(channel: EventChannel, text: string): NodeEvent {
  const value = JSON.parse(text) as { readonly missed?: unknown; readonly state?: unknown };
  if (typeof value.missed === "number") return { kind: "missed", count: value.missed };
  if (channel === "boot") return { kind: "boot", event: value as unknown as BootEvent };
  if ("state" in value) return { kind: "result", result: parseResult(text) };
  return { kind: "message", message: parseRecord(text) };
}
