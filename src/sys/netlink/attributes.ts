import { aligned, malformed } from "./message.ts";

/** Payloads by type; where a type is repeated the last one counts. */
export type Attributes = ReadonlyMap<number, Buffer>;

/**
 * The attributes from `offset` of a message body on: length u16, type u16, payload, padding to four.
 *
 * @throws AgentError `E_NETLINK` when a length goes beyond the body or cannot hold the header.
 */
export function parseAttributes(body: Buffer, offset = 0): Attributes {
  const attributes = new Map<number, Buffer>();
  let at = offset;
  while (at < body.length) {
    const left = body.length - at;
    const length = left < HEADER_BYTES ? 0 : body.readUInt16LE(at);
    if (length < HEADER_BYTES || length > left) throw malformed("attribute", length, left);
    // The two highest bits say "nested" and "network byte order"; kernels set them or not.
    const type = body.readUInt16LE(at + 2) & 0x3fff;
    attributes.set(type, body.subarray(at + HEADER_BYTES, at + length));
    at += aligned(length);
  }
  return attributes;
}

export function readU32(attributes: Attributes, type: number): number | undefined {
  const payload = attributes.get(type);
  if (payload === undefined) return undefined;
  if (payload.length < 4) throw malformed("number", 4, payload.length);
  return payload.readUInt32LE(0);
}

export function readU16(attributes: Attributes, type: number): number | undefined {
  const payload = attributes.get(type);
  if (payload === undefined) return undefined;
  if (payload.length < 2) throw malformed("number", 2, payload.length);
  return payload.readUInt16LE(0);
}

export function readU8(attributes: Attributes, type: number): number | undefined {
  const payload = attributes.get(type);
  if (payload === undefined) return undefined;
  if (payload.length < 1) throw malformed("number", 1, payload.length);
  return payload.readUInt8(0);
}

/** Text up to its NUL. */
export function readText(attributes: Attributes, type: number): string | undefined {
  const payload = attributes.get(type);
  if (payload === undefined) return undefined;
  const end = payload.indexOf(0);
  return payload.toString("utf8", 0, end < 0 ? payload.length : end);
}

export function attribute(type: number, payload: Uint8Array): Buffer {
  const length = HEADER_BYTES + payload.length;
  const bytes = Buffer.alloc(aligned(length));
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

export function u8Attribute(type: number, value: number): Buffer {
  return attribute(type, Buffer.from([value]));
}

export function u16Attribute(type: number, value: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16LE(value);
  return attribute(type, payload);
}

export function u32Attribute(type: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(value);
  return attribute(type, payload);
}

export function textAttribute(type: number, text: string): Buffer {
  return attribute(type, Buffer.from(`${text}\0`));
}

export function nestedAttribute(type: number, members: readonly Buffer[]): Buffer {
  return attribute(type, Buffer.concat(members));
}

const HEADER_BYTES = 4;
