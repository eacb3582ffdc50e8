import { AgentError } from "../base/errors.ts";
import type { HeartbeatAnswer, SessionAnswer, UnlockAnswer } from "./controller-api.ts";
import type { ControllerReply } from "./controller-request.ts";
import { takeKey } from "./key-bytes.ts";

/** An answer to an unlock request; the key as bytes that can be wiped. */
export type UnlockOutcome =
  | (Omit<Extract<UnlockAnswer, { state: "approved" }>, "key"> & { readonly key: Buffer })
  | Exclude<UnlockAnswer, { state: "approved" }>
  | { readonly state: "throttled"; readonly reason: string; readonly retryAfterS: number };

/** Status of each state. */
const STATUS: Readonly<Record<UnlockAnswer["state"], number>> = {
  approved: 200,
  pending: 202,
  rejected: 403,
  revoked: 403,
  withheld: 409,
};

type Members = Readonly<Record<string, unknown>>;

/** Wipes the body. @throws AgentError `E_CONTROLLER` for anything but an answer of the contract. */
export function readUnlock({ status, headers, body }: ControllerReply): UnlockOutcome {
  const key = takeKey(body);
  try {
    const value = parseObject(status, body);
    if (status === 429) {
      const header = Number(headers["retry-after"] ?? Number.NaN);
      return { state: "throttled", reason: errorOf(value), retryAfterS: waitOf(value, header) };
    }
    const state = value["state"] as UnlockAnswer["state"];
    if (typeof state !== "string" || STATUS[state] !== status) throw failure(status, value);
    const node = text(value, "node");
    const nowMs = whole(value, "nowMs");
    if (state !== "approved") return { state, node, reason: text(value, "reason"), nowMs };
    if (key === undefined) throw unexpected("key", "32 bytes in base64");
    const revision = whole(value, "revision");
    const sha256 = text(value, "sha256");
    if (!(revision === 0 ? /^$/ : /^[0-9a-f]{64}$/).test(sha256)) {
      throw unexpected("sha256", "64 hexadecimal digits, or nothing for revision 0");
    }
    return { state, node, nowMs, revision, sha256, key };
  } catch (error) {
    key?.fill(0);
    throw error;
  } finally {
    body.fill(0);
  }
}

/** @throws AgentError `E_CONTROLLER_IDENTITY` when the client certificate is refused, `E_CONTROLLER`. */
export function readSession({ status, body }: ControllerReply): SessionAnswer {
  const value = parseObject(status, body);
  if (status !== 200) throw refusal(status, value);
  return { node: text(value, "node"), nowMs: whole(value, "nowMs") };
}

/** @throws as {@link readSession}. */
export function readHeartbeat({ status, body }: ControllerReply): HeartbeatAnswer {
  const value = parseObject(status, body);
  if (status !== 200) throw refusal(status, value);
  return { nextMs: whole(value, "nextMs"), nowMs: whole(value, "nowMs") };
}

/** The ciphertext archive; undefined where the controller has none. @throws AgentError `E_CONTROLLER`. */
export function readArchive({ status, body }: ControllerReply): Buffer | undefined {
  if (status === 200) return body;
  if (status === 404) return undefined;
  throw failure(status, parseObject(status, body));
}

function parseObject(status: number, body: Buffer): Members {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Members;
    }
  } catch {
    // Told below: what JSON.parse says would show a part of the answer.
  }
  // A status that says more than the missing JSON does, for example 502 of something in between.
  throw new AgentError(
    "E_CONTROLLER",
    status >= 400 ? `it answered with status ${status}` : "the answer is not a JSON object",
  );
}

/** Of a request with a client certificate. */
function refusal(status: number, value: Members): AgentError {
  const isIdentity = status === 401 || status === 403;
  return failure(status, value, isIdentity ? "E_CONTROLLER_IDENTITY" : "E_CONTROLLER");
}

function failure(status: number, value: Members, code = "E_CONTROLLER"): AgentError {
  const why = errorOf(value);
  return new AgentError(code, `it answered with status ${status}${why === "" ? "" : `: ${why}`}`);
}

const errorOf = (value: Members): string =>
  typeof value["message"] === "string" ? plain(value["message"]) : "";

const LONGEST_WAIT_S = 60;
const DEFAULT_WAIT_S = 10;

function waitOf(value: Members, header: number): number {
  const asked = [value["retryAfterS"], header].find((one) => Number.isFinite(one));
  return Math.min(LONGEST_WAIT_S, Math.max(1, Number(asked ?? DEFAULT_WAIT_S)));
}

function text(value: Members, name: string): string {
  const member = value[name];
  if (typeof member !== "string") throw unexpected(name, "a text");
  return plain(member);
}

function whole(value: Members, name: string): number {
  const member = value[name];
  if (!Number.isSafeInteger(member) || Number(member) < 0) throw unexpected(name, "a whole number");
  return Number(member);
}

const unexpected = (name: string, wanted: string): AgentError =>
  new AgentError("E_CONTROLLER", `the answer is not as agreed: ${name} is not ${wanted}`);

const LONGEST_TEXT = 256;

/** For the console and the log: one line that can do nothing to a terminal. */
const plain = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").slice(0, LONGEST_TEXT);
