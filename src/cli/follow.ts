import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "../base/errors.ts";
import type { Client } from "../client/client.ts";
import { EXIT, exitCodeOfSignal } from "./exit-code.ts";
import type { Invocation } from "./invocation.ts";

/** Delay before a node that cannot be reached is tried again. */
const RETRY_MS = 1000;

/** What is done with a node until `signal` is aborted; `isFirst` is false after the node was away. */
export type Following = (client: Client, signal: AbortSignal, isFirst: boolean) => Promise<void>;

/**
 * Follows a node until a signal ends the tool, or `--timeout`, which is a success. A node that goes away
 * after it was reached once is waited for.
 *
 * @returns the exit code
 */
export async function followUntilStopped(
  invocation: Invocation,
  follow: Following,
): Promise<number> {
  const stop = new AbortController();
  let code: number = EXIT.ok;
  const forget = invocation.io.onStop((name) => {
    code = exitCodeOfSignal(constants.signals[name]);
    stop.abort();
  });
  const { timeoutMs } = invocation;
  const limits = timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)];
  const signal = AbortSignal.any([stop.signal, ...limits]);
  try {
    // The first attempt shows whether the machine is named right; later on it may be restarting.
    const client = await invocation.connect();
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      try {
        await follow(client, signal, isFirst);
        return code;
      } catch (error) {
        if (signal.aborted) break;
        if (!isAbsence(error)) throw error;
        await awaitReturn(invocation, client, signal);
      }
    }
  } finally {
    forget();
  }
  return code;
}

async function awaitReturn(
  invocation: Invocation,
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  await invocation.note("the machine cannot be reached, trying on");
  for (;;) {
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await client.ping({ signal });
      await invocation.note("the machine is back");
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!isAbsence(error)) throw error;
    }
  }
}

function isAbsence(error: unknown): boolean {
  return ["E_CONNECT", "E_CONNECTION_LOST", "E_DEADLINE"].includes(errorCode(error) ?? "");
}
