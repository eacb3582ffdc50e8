import { bytesOfText } from "./bytes.ts";
import * as encode from "./encode.ts";

/** A short word sent as a simple string; some clients insist on it where Redis sends one. */
export class Status {
  readonly text: string;

  /** @param text ASCII, without line ends. */
  constructor(text: string) {
    this.text = text;
  }
}

/** A reply as plain data. Texts are sent as UTF-8; whole numbers as integers, others as doubles. */
export type ReplyValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Status
  | readonly ReplyValue[]
  | ReadonlySet<ReplyValue>
  | ReadonlyMap<string, ReplyValue>;

/** Encodes nested replies that are not on a hot path. */
export function encodeValue(value: ReplyValue, protocol: encode.Protocol): encode.Reply {
  if (value === null) return encode.nil(protocol);
  switch (typeof value) {
    case "string":
      return encode.bulk(bytesOfText(value));
    case "number":
      return Number.isSafeInteger(value) ? encode.integer(value) : encode.double(value, protocol);
    case "bigint":
      return isInt64(value) ? `:${value}\r\n` : encode.bigNumber(value, protocol);
    case "boolean":
      return encode.boolean(value, protocol);
    default:
      if (value instanceof Status) return encode.simple(value.text);
      return encodeCollection(value, protocol);
  }
}

function encodeCollection(
  value: readonly ReplyValue[] | ReadonlySet<ReplyValue> | ReadonlyMap<string, ReplyValue>,
  protocol: encode.Protocol,
): encode.Reply {
  const item = (member: ReplyValue): encode.Reply => encodeValue(member, protocol);
  if (value instanceof Map) {
    return encode.map(
      [...value].map(([key, member]) => [item(key), item(member)] as const),
      protocol,
    );
  }
  if (value instanceof Set) return encode.set([...value].map(item), protocol);
  return encode.array((value as readonly ReplyValue[]).map(item));
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}
