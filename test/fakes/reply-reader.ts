import RedisParser from "redis-parser";

/** Decodes RESP2 replies with a parser that is not ours; errors become `Error` values. */
export function readReplies(bytes: string): unknown[] {
  return decode(bytes, false);
}

/** The same with every text as a byte string. */
export function readByteReplies(bytes: string): unknown[] {
  return decode(bytes, true).map(asBytes);
}

function decode(bytes: string, returnBuffers: boolean): unknown[] {
  const replies: unknown[] = [];
  const parser = new RedisParser({
    returnReply: (reply: unknown) => replies.push(reply),
    returnError: (error: Error) => replies.push(error),
    returnFatalError: (error: Error) => {
      throw error;
    },
    returnBuffers,
  });
  parser.execute(Buffer.from(bytes, "latin1"));
  return replies;
}

function asBytes(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString("latin1");
  return Array.isArray(reply) ? reply.map(asBytes) : reply;
}
