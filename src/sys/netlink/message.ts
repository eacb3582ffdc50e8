import { AgentError } from "../../base/errors.ts";

/** One netlink message without its frame. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  /** Number of the request it answers; 0 for notices of the kernel. */
  readonly sequence: number;
  readonly body: Buffer;
}

/** Flags of <linux/netlink.h>. */
export const NLM_F_REQUEST = 0x01;
export const NLM_F_ACK = 0x04;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_DUMP = 0x300;

/** Message types every netlink family has. */
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

export const HEADER_BYTES = 16;

/** One message with its header: length u32, type u16, flags u16, sequence u32, port u32, host byte order. */
export function buildMessage(message: NetlinkMessage): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(HEADER_BYTES + message.body.length, 0);
  header.writeUInt16LE(message.type, 4);
  header.writeUInt16LE(message.flags, 6);
  header.writeUInt32LE(message.sequence, 8);
  return Buffer.concat([header, message.body]);
}

/**
 * The messages of one datagram; bodies are views of it.
 *
 * @throws AgentError `E_NETLINK` when a length goes beyond the datagram or cannot hold a header.
 */
export function parseMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset < datagram.length) {
    const left = datagram.length - offset;
    const length = left < HEADER_BYTES ? 0 : datagram.readUInt32LE(offset);
    if (length < HEADER_BYTES || length > left) throw malformed("message", length, left);
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      body: datagram.subarray(offset + HEADER_BYTES, offset + length),
    });
    offset += aligned(length);
  }
  return messages;
}

/** Messages and attributes begin at multiples of four. */
export function aligned(length: number): number {
  return (length + 3) & ~3;
}

/** The first `length` bytes of a body, which a fixed structure takes. */
export function fixedPart(body: Buffer, length: number): Buffer {
  if (body.length < length) throw malformed("structure", length, body.length);
  return body.subarray(0, length);
}

export function malformed(what: string, length: number, left: number): AgentError {
  return new AgentError(
    "E_NETLINK",
    `Cannot read netlink ${what}: length ${length} seen, ${left} bytes left`,
    { fields: { errno: "EBADMSG" } },
  );
}
