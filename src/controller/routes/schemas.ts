import { array, integer, object, string } from "../../base/schema.ts";
import type { HeartbeatRequest, UnlockRequest } from "../../vault/controller-api.ts";
import { RequestError } from "../server-errors.ts";

/** Largest bodies in bytes. */
export const LIMITS = {
  unlock: 16 * 1024,
  heartbeat: 64 * 1024,
  operator: 16 * 1024,
  private: 64 * 1024 * 1024,
} as const;

const LONGEST_TEXT = 256;
const MOST_MACS = 64;
const MOST_PHASES = 64;
const MOST_ADDRESSES = 256;

export const UNLOCK_BODY = object(
  {
    macs: array(string()),
    serial: string(),
    vendor: string(),
    product: string(),
    overlayId: string(),
    version: string(),
  },
  ["macs", "serial", "vendor", "product", "overlayId", "version"],
);

const PHASE = object(
  {
    phase: string(),
    state: string(),
    startMs: integer({ minimum: 0 }),
    endMs: integer({ minimum: 0 }),
    attempts: integer({ minimum: 0 }),
    reason: string(),
  },
  ["phase", "state", "attempts", "reason"],
);

export const HEARTBEAT_BODY = object(
  {
    version: string(),
    hostname: string(),
    uptimeS: integer({ minimum: 0 }),
    addresses: array(string()),
    phases: array(PHASE),
  },
  ["version", "hostname", "uptimeS", "addresses", "phases"],
);

/** What the schema cannot say: lengths, the form of addresses. @throws RequestError 400 */
export function checkUnlock(body: UnlockRequest): UnlockRequest {
  const { serial, vendor, product, overlayId, version } = body;
  for (const text of [serial, vendor, product, version]) checkText(text);
  if (!/^([0-9a-f]{10})?$/.test(overlayId)) {
    throw wrong("overlayId", "10 hexadecimal digits, or nothing");
  }
  return { ...body, macs: checkMacs(body.macs) };
}

export function checkHeartbeat(
  body: {
    readonly [K in keyof HeartbeatRequest]: K extends "phases"
      ? readonly {
          readonly phase: string;
          readonly state: string;
          readonly startMs?: number | undefined;
          readonly endMs?: number | undefined;
          readonly attempts: number;
          readonly reason: string;
        }[]
      : HeartbeatRequest[K];
  },
): HeartbeatRequest {
  if (body.phases.length > MOST_PHASES) throw wrong("phases", `at most ${MOST_PHASES}`);
  if (body.addresses.length > MOST_ADDRESSES) throw wrong("addresses", `at most ${MOST_ADDRESSES}`);
  const texts = body.phases.flatMap(({ phase, state, reason }) => [phase, state, reason]);
  for (const text of [body.version, body.hostname, ...body.addresses, ...texts]) checkText(text);
  const phases = body.phases.map(({ phase, state, startMs, endMs, attempts, reason }) => ({
    phase,
    state,
    startMs: startMs ?? null,
    endMs: endMs ?? null,
    attempts,
    reason,
  }));
  return { ...body, phases };
}

/**
 * @returns The addresses as they were.
 * @throws RequestError 400 for wrong forms, repeats, and addresses that name no single machine.
 */
export function checkMacs(macs: readonly string[]): readonly string[] {
  if (macs.length < 1 || macs.length > MOST_MACS || new Set(macs).size !== macs.length) {
    throw wrong("macs", `1 to ${MOST_MACS} addresses, each once`);
  }
  for (const mac of macs) {
    const isGroup = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
    if (!isMac(mac) || isGroup || mac === "00:00:00:00:00:00") {
      throw wrong("macs", "addresses of single machines, lower case with colons");
    }
  }
  return macs;
}

export function isMac(text: string): boolean {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text);
}

export function checkText(text: string): string {
  if (text.length > LONGEST_TEXT) throw wrong("a text", `at most ${LONGEST_TEXT} characters`);
  return text;
}

function wrong(member: string, expected: string): RequestError {
  return new RequestError(400, "E_SCHEMA", `Cannot use ${member}: expected ${expected}`);
}
