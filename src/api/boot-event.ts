import type { BusEvent } from "../events/bus.ts";
import { type Bytes, bytesOfText } from "../resp/bytes.ts";
import type { SequenceEvents } from "../sequencer/sequence.ts";
import { jsonText } from "./json-text.ts";

/**
 * One message of the channel `boot`. The members of a phase are named as in `boot.status`, times are
 * milliseconds since the kernel started.
 */
export function bootEventText(event: BusEvent<SequenceEvents>): Bytes {
  return bytesOfText(jsonText({ number: event.sequence, type: event.type, ...membersOf(event) }));
}

function membersOf({ type, payload }: BusEvent<SequenceEvents>): object {
  if (type !== "phase.change") return payload;
  const { status, ...place } = payload as SequenceEvents["phase.change"];
  return { ...place, ...status };
}
