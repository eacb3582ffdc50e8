import type { Client } from "../client/client.ts";
import { JobError } from "../client/errors.ts";
import type { BootEvent } from "../client/events.ts";
import { followUntilStopped } from "./follow.ts";
import type { Invocation } from "./invocation.ts";
import { describeChanges, describeState, type NetStatus } from "./net-changes.ts";
import type { Style } from "./paint.ts";
import { printable } from "./table.ts";
import { formatMs } from "./units.ts";
import { formatYaml } from "./yaml.ts";

/** How long one question for a change of the network waits on the node, and how late its answer may be. */
const WAIT_MS = 30_000;
const LATE_MS = 10_000;

/** What a network command answers with on a host, whose network is not the agent's business. */
const NOT_HERE = 406;

const STYLES: Readonly<Record<string, Style>> = {
  done: "green",
  running: "yellow",
  retrying: "yellow",
  failed: "red",
};

/** Prints what happens on a node. @returns the exit code */
export async function followEvents(invocation: Invocation): Promise<number> {
  return await followUntilStopped(invocation, async (client, signal) => {
    const stop = new AbortController();
    const limits = { signal: AbortSignal.any([signal, stop.signal]) };
    try {
      // Both go on for ever: the first that ends has failed.
      await Promise.race([
        followBoot(invocation, client, limits),
        followNetwork(invocation, client, limits),
      ]);
    } finally {
      stop.abort();
    }
  });
}

interface Following {
  readonly signal: AbortSignal;
}

async function followBoot(
  invocation: Invocation,
  client: Client,
  { signal }: Following,
): Promise<void> {
  for await (const event of client.events("boot", { signal })) {
    if (event.kind === "missed") await invocation.note(`${event.count} events were missed`);
    if (event.kind === "boot")
      await write(invocation, { kind: "boot", ...event.event }, bootLines(invocation, event.event));
  }
}

async function followNetwork(
  invocation: Invocation,
  client: Client,
  { signal }: Following,
): Promise<void> {
  let seen: NetStatus | undefined;
  for (;;) {
    const args = seen === undefined ? {} : { since: seen.version, wait_ms: WAIT_MS };
    let status: NetStatus;
    try {
      const limits = { timeoutMs: WAIT_MS + LATE_MS, signal };
      status = (await client.value("net.status", args, limits)) as NetStatus;
    } catch (error) {
      if (!(error instanceof JobError) || error.jobCode !== NOT_HERE) throw error;
      return await Promise.withResolvers<never>().promise;
    }
    if (status.version !== seen?.version) {
      const lines = seen === undefined ? [describeState(status)] : describeChanges(seen, status);
      await write(invocation, { kind: "network", ...status }, lines);
    }
    seen = status;
  }
}

function bootLines({ paint }: Invocation, event: BootEvent): string[] {
  const text = (name: string): string => printable(String(event[name] ?? ""));
  if (event.type === "sequence.start") return [`${text("sequence")} begins`];
  if (event.type === "sequence.end") {
    const { state, reason } = (event["outcome"] ?? {}) as { state?: unknown; reason?: unknown };
    const why = reason === undefined || reason === "" ? "" : `: ${printable(String(reason))}`;
    return [
      `${text("sequence")} ended: ${printable(String(state ?? ""))}${why}${at(event["endMs"])}`,
    ];
  }
  const state = text("state");
  const style = STYLES[state];
  const reason = text("reason");
  const shown = style === undefined ? state : paint(style, state);
  const when = at(event["endMs"] ?? event["startMs"]);
  return [`${text("phase")} ${shown}${when}${reason === "" ? "" : `: ${reason}`}`];
}

/** Milliseconds from the start of the kernel. */
const at = (ms: unknown): string => (typeof ms === "number" ? ` at ${formatMs(ms)}` : "");

/** One object, or one line for each of `lines`, which are printable. */
async function write(
  { io, format, paint }: Invocation,
  value: Readonly<Record<string, unknown>>,
  lines: readonly string[],
): Promise<void> {
  const time = new Date().toISOString();
  if (format === "json") await io.stdout.write(`${JSON.stringify({ time, ...value })}\n`);
  else if (format === "yaml") await io.stdout.write(`---\n${formatYaml({ time, ...value })}`);
  else {
    const head = paint("dim", time);
    await io.stdout.write(lines.map((line) => `${head}  ${line}\n`).join(""));
  }
}
