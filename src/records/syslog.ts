import type { JobMessage } from "../job/types.ts";
import { endOf } from "./json-line.ts";
import { formatTime } from "./record-time.ts";

/** Facility "user-level messages" (RFC 5424, 6.2.1). */
const FACILITY = 1;
const INFO = 6;
const DEBUG = 7;

/** Severity by level (wire protocol 7.1); the others are informational. */
const SEVERITIES: Readonly<Record<number, number>> = {
  2: 5,
  3: 5,
  4: 5,
  7: 4,
  8: 3,
  9: 2,
  10: DEBUG,
  11: DEBUG,
};

/** RFC 5425, 4.3.1: what every receiver should take is 8192 bytes; the header needs some of them. */
const MAX_TEXT_BYTES = 7168;
const MAX_ID_BYTES = 256;
/** Reserved for examples (RFC 5612): node0 has no number of its own. */
const ENTERPRISE = 32473;

/**
 * A record as syslog messages (RFC 5424), each with its length in front (RFC 6587, 3.4.1). A text that
 * is too long for a receiver comes in several messages that carry `part`.
 *
 * @param node Name of the machine.
 */
export function formatSyslog(message: JobMessage, node: string): Buffer {
  const { level, jobId, flags, epochNs } = message;
  const text = message.text.endsWith("\n") ? message.text.slice(0, -1) : message.text;
  const parts = cut(Buffer.from(text, "utf8"), MAX_TEXT_BYTES);
  const priority = FACILITY * 8 + (SEVERITIES[level] ?? INFO);
  const head = `<${priority}>1 ${formatTime(epochNs, 6)} ${headerWord(node)} node0 - -`;
  const end = endOf(flags);
  const id = cut(Buffer.from(jobId, "utf8"), MAX_ID_BYTES)[0]?.toString("utf8") ?? "";
  const frames = parts.flatMap((part, at) => {
    const data = [`job="${dataValue(id)}"`, `level="${level}"`, `core="0"`];
    if (end !== undefined) data.push(`end="${end}"`);
    if (parts.length > 1) data.push(`part="${at + 1}/${parts.length}"`);
    const line = `${head} [node0@${ENTERPRISE} ${data.join(" ")}]${part.length > 0 ? " " : ""}`;
    return [Buffer.from(`${Buffer.byteLength(line) + part.length} ${line}`, "utf8"), part];
  });
  return Buffer.concat(frames);
}

/** Pieces of at most `maxBytes` that begin with a whole character; one empty piece for no bytes. */
function cut(bytes: Buffer, maxBytes: number): Buffer[] {
  if (bytes.length <= maxBytes) return [bytes];
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + maxBytes, bytes.length);
    while (end < bytes.length && isContinuation(bytes[end] ?? 0)) end -= 1;
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

/** Bytes of a UTF-8 character behind its first. */
function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Header fields hold printable ASCII without blanks (RFC 5424, 6). */
function headerWord(text: string): string {
  const word = text.replaceAll(/[^!-~]/g, "_").slice(0, MAX_ID_BYTES - 1);
  return word === "" ? "-" : word;
}

/** Quote, backslash and bracket are escaped (RFC 5424, 6.3.3); control characters have no business there. */
function dataValue(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return text.replaceAll(/[\u0000-\u001f\u007f]/g, "?").replaceAll(/["\\\]]/g, "\\$&");
}
