import { randomUUID } from "node:crypto";
import { readBacklog } from "../client/backlog.ts";
import type { Client } from "../client/client.ts";
import type { StreamMessage } from "../client/stream.ts";
import { EXIT } from "./exit-code.ts";
import { followUntilStopped } from "./follow.ts";
import type { Invocation } from "./invocation.ts";
import { isWanted, type LogFilter, levelName } from "./log-filter.ts";
import type { Style } from "./paint.ts";
import { printable } from "./table.ts";
import { formatYaml } from "./yaml.ts";

const STYLES: Readonly<Record<number, Style>> = { 2: "yellow", 7: "yellow", 8: "red", 9: "red" };

const NS_PER_MS = 1_000_000n;

/** Prints records of the past and, when asked to, those to come. @returns the exit code */
export async function showLogs(invocation: Invocation, filter: LogFilter): Promise<number> {
  if (!filter.isFollowing) {
    const client = await invocation.connect();
    await showPast(invocation, filter, await readBacklog(client, randomUUID(), invocation.limits));
    return EXIT.ok;
  }
  return await followUntilStopped(invocation, async (client, signal, isFirst) => {
    await follow(invocation, {
      client,
      signal,
      filter: isFirst ? filter : { ...filter, lines: 0 },
    });
  });
}

async function showPast(
  invocation: Invocation,
  filter: LogFilter,
  records: readonly StreamMessage[],
): Promise<void> {
  const wanted = records.filter((record) => isWanted(filter, record));
  const shown = filter.lines === 0 ? [] : wanted.slice(-filter.lines);
  for (const record of shown) await write(invocation, record);
}

/** Listens before it asks for the past, so that nothing is lost in between. */
async function follow(
  invocation: Invocation,
  { client, signal, filter }: { client: Client; signal: AbortSignal; filter: LogFilter },
): Promise<void> {
  const news = client.events("log", { signal });
  const first = news.next();
  // Reported by the loop below.
  first.catch(() => undefined);
  const past = filter.lines === 0 ? [] : await readBacklog(client, randomUUID(), { signal });
  await showPast(invocation, filter, past);
  const seen = new Set(past.map(identity));
  for (let step = await first; step.done !== true; step = await news.next()) {
    const event = step.value;
    if (event.kind === "missed") await invocation.note(`${event.count} records were missed`);
    if (event.kind !== "message" || seen.delete(identity(event.message))) continue;
    if (isWanted(filter, event.message)) await write(invocation, event.message);
  }
}

const identity = ({ jobId, epochNs, level, text }: StreamMessage): string =>
  `${epochNs} ${level} ${jobId} ${text}`;

async function write(invocation: Invocation, record: StreamMessage): Promise<void> {
  const { format, io, paint } = invocation;
  const time = new Date(Number(record.epochNs / NS_PER_MS)).toISOString();
  const { jobId: job, level, text } = record;
  const value = { time, job, level, text };
  if (format === "json") await io.stdout.write(`${JSON.stringify(value)}\n`);
  else if (format === "yaml") await io.stdout.write(`---\n${formatYaml(value)}`);
  else {
    const name = levelName(level);
    const style = STYLES[level];
    const head = `${paint("dim", time)}  ${printable(job)}  ${style === undefined ? name : paint(style, name)}`;
    const lines = text.replace(/\n$/, "").split("\n");
    await io.stdout.write(lines.map((line) => `${head}  ${printable(line)}\n`).join(""));
  }
}
