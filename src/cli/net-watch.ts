import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "../base/errors.ts";
import { EXIT, exitCodeOfSignal } from "./exit-code.ts";
import type { Invocation } from "./invocation.ts";
import { describeChanges, describeState, type NetStatus } from "./net-changes.ts";
import { printable } from "./table.ts";
import { formatYaml } from "./yaml.ts";

/** How long one question for a change waits on the node, and how much later its answer may come. */
const WAIT_MS = 30_000;
const LATE_MS = 10_000;

/** Delay before a node that cannot be reached is tried again. */
const RETRY_MS = 1000;

/**
 * Prints what changes in the network of a node until a signal ends the tool, or `--timeout`. A node that
 * goes away after the first answer is waited for: what is watched is what it is reached by.
 *
 * @param options Milliseconds between two tries of a node that is away; default 1000.
 * @returns The exit code.
 */
export async function watchNetwork(
  invocation: Invocation,
  { retryMs = RETRY_MS }: { readonly retryMs?: number } = {},
): Promise<number> {
  const { timeoutMs, io } = invocation;
  const stop = new AbortController();
  let code: number = EXIT.ok;
  const forget = io.onStop((name) => {
    code = exitCodeOfSignal(constants.signals[name]);
    stop.abort();
  });
  const limits = timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)];
  try {
    await follow(invocation, { retryMs, signal: AbortSignal.any([stop.signal, ...limits]) });
  } finally {
    forget();
  }
  return code;
}

/** Returns when the signal is aborted. */
async function follow(
  invocation: Invocation,
  { retryMs, signal }: { readonly retryMs: number; readonly signal: AbortSignal },
): Promise<void> {
  let seen: NetStatus | undefined;
  let isAway = false;
  while (!signal.aborted) {
    try {
      const status = await nextStatus(invocation, seen, signal);
      if (isAway) await invocation.note("the machine is back");
      isAway = false;
      if (status.version !== seen?.version) await show(invocation, seen, status);
      seen = status;
    } catch (error) {
      if (signal.aborted) return;
      // The first question shows whether the machine is named right; later on it may be restarting.
      if (seen === undefined || !isAbsence(error)) throw error;
      if (!isAway) await invocation.note("the machine cannot be reached, trying on");
      isAway = true;
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function isAbsence(error: unknown): boolean {
  return ["E_CONNECT", "E_CONNECTION_LOST", "E_DEADLINE"].includes(errorCode(error) ?? "");
}

async function nextStatus(
  invocation: Invocation,
  seen: NetStatus | undefined,
  signal: AbortSignal,
): Promise<NetStatus> {
  const client = await invocation.connect();
  const args = seen === undefined ? {} : { since: seen.version, wait_ms: WAIT_MS };
  const limits = { timeoutMs: WAIT_MS + LATE_MS, signal };
  return (await client.value("net.status", args, limits)) as NetStatus;
}

async function show(
  { io, format, paint }: Invocation,
  before: NetStatus | undefined,
  status: NetStatus,
): Promise<void> {
  const time = new Date().toISOString();
  if (format === "json") await io.stdout.write(`${JSON.stringify({ time, ...status })}\n`);
  else if (format === "yaml") await io.stdout.write(`---\n${formatYaml({ time, ...status })}`);
  else {
    const lines = before === undefined ? [describeState(status)] : describeChanges(before, status);
    const head = paint("dim", time);
    await io.stdout.write(lines.map((line) => `${head}  ${printable(line)}\n`).join(""));
  }
}
