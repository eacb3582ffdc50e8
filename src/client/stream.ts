import { AgentError } from "../base/errors.ts";
import type { Channel } from "./connection.ts";

/** One message of a job as `stream:<id>` carries it (wire protocol 8). */
export interface StreamMessage {
  readonly jobId: string;
  readonly text: string;
  /** 1 standard output, 2 standard error, 20 result, … (wire protocol 7.1). */
  readonly level: number;
  /** True for the last message of a run. */
  readonly isLast: boolean;
  /** Nanoseconds since the epoch. */
  readonly epochNs: bigint;
}

/** Seconds one blocking pop waits. */
const POLL_S = 10;

/**
 * Pops in flight at a time. The node keeps only the newest 1000 messages, so one round trip per
 * message would lose the beginning of a talkative job.
 */
const DEPTH = 32;

const END_FLAGS = 0x6;
const LEVEL_SHIFT = 16;

/**
 * Hands every message of a job to `onMessage`, in order, until its last one.
 *
 * Reading consumes: only one reader can follow a job. The connection is of no use afterwards, because
 * pops are still waiting on it; the caller destroys it.
 *
 * @param isRunning Asked whenever nothing arrived for 10 s; reading stops when it says no twice.
 */
export async function readStream(
  connection: Channel,
  options: {
    readonly id: string;
    readonly onMessage: (message: StreamMessage) => void | Promise<void>;
    readonly isRunning: () => Promise<boolean>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const pops: Promise<unknown>[] = [];
  let silences = 0;
  for (;;) {
    while (pops.length < DEPTH) pops.push(pop(connection, options.id, options.signal));
    const reply = await pops.shift();
    if (Array.isArray(reply)) {
      silences = 0;
      const message = parseRecord(String(reply[1]));
      await options.onMessage(message);
      if (message.isLast) return;
      continue;
    }
    if (!(await options.isRunning())) silences += 1;
    if (silences === 2) return;
  }
}

function pop(connection: Channel, id: string, signal: AbortSignal): Promise<unknown> {
  const reply = connection.call("BLPOP", [`stream:${id}`, String(POLL_S)], signal);
  // Those still waiting when reading ends fail with the connection; nobody awaits them any more.
  reply.catch(() => undefined);
  return reply;
}

/**
 * Decodes one element of a stream list.
 *
 * @throws AgentError `E_REPLY` when the text is not a log record.
 */
export function parseRecord(text: string): StreamMessage {
  let epochNs = 0n;
  try {
    const record = JSON.parse(text, (key, value, context?: { source?: string }) => {
      // Nanoseconds do not fit a double: take the digits as they were sent.
      if (key === "epoch" && context?.source !== undefined) epochNs = BigInt(context.source);
      return value;
    });
    const { message: body, meta } = record.message;
    if (typeof body !== "string" || typeof meta !== "number")
      throw new TypeError("members missing");
    return {
      jobId: String(record.command),
      text: body,
      level: meta >>> LEVEL_SHIFT,
      isLast: (meta & END_FLAGS) !== 0,
      epochNs,
    };
  } catch (cause) {
    const shown = text.slice(0, 80);
    throw new AgentError(
      "E_REPLY",
      `Cannot read a stream record: ${shown} seen, expected a log record`,
      { cause },
    );
  }
}
