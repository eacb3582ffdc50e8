import { getSystemErrorName } from "node:util";
import { parseAttributes, readText } from "./attributes.ts";
import { aligned, fixedPart, HEADER_BYTES, type NetlinkMessage } from "./message.ts";

/** How the kernel answered a request. */
export interface Acknowledgement {
  /** Name such as `EEXIST`; undefined when the request was carried out. */
  readonly errno: string | undefined;
  /** The kernel's own words; empty where it has none. */
  readonly text: string;
}

/**
 * Reads NLMSG_ERROR: result i32 (0 or a negative error number), header of the request, the body of the
 * request unless capped, then attributes with the text of the kernel.
 */
export function parseAcknowledgement({ flags, body }: NetlinkMessage): Acknowledgement {
  const head = fixedPart(body, RESULT_BYTES + HEADER_BYTES);
  const errno = errnoName(head.readInt32LE(0));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: "" };
  const requestBytes = (flags & NLM_F_CAPPED) === 0 ? head.readUInt32LE(RESULT_BYTES) : 0;
  const offset = RESULT_BYTES + Math.max(HEADER_BYTES, aligned(requestBytes));
  return { errno, text: readText(parseAttributes(body, offset), NLMSGERR_ATTR_MSG) ?? "" };
}

/** Reads NLMSG_DONE, which carries the result of a dump: i32, then attributes as above. */
export function parseDone({ flags, body }: NetlinkMessage): Acknowledgement {
  if (body.length < RESULT_BYTES) return { errno: undefined, text: "" };
  const errno = errnoName(body.readInt32LE(0));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: "" };
  return { errno, text: readText(parseAttributes(body, RESULT_BYTES), NLMSGERR_ATTR_MSG) ?? "" };
}

const RESULT_BYTES = 4;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

function errnoName(result: number): string | undefined {
  return result >= 0 ? undefined : errnoText(-result);
}

/** Name of an error number; `errno 123` where Node.js knows none. */
export function errnoText(number: number): string {
  const name = getSystemErrorName(-number);
  return name.startsWith("Unknown") ? `errno ${number}` : name;
}
