/** What one connection may send. Every number is inclusive. */
export interface RequestLimits {
  /** Words of one request, the command name included. */
  readonly maxArguments: number;
  /** Bytes of one word sent as a bulk string. */
  readonly maxBulkBytes: number;
  /** Bytes of one line of an inline request. */
  readonly maxInlineBytes: number;
  /** Bytes received and not yet handed out as requests. */
  readonly maxPendingBytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** Before authentication. */
export const GUEST_LIMITS: RequestLimits = {
  maxArguments: 10,
  maxBulkBytes: 16 * KIB,
  maxInlineBytes: 16 * KIB,
  maxPendingBytes: 1 * MIB,
};

/** After authentication. */
export const MEMBER_LIMITS: RequestLimits = {
  maxArguments: 65_536,
  maxBulkBytes: 64 * MIB,
  maxInlineBytes: 64 * KIB,
  maxPendingBytes: 128 * MIB,
};
