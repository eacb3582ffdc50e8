import { randomUUID } from "node:crypto";
import type { Peer } from "./peers.ts";
import { RawClient, type Reply } from "./raw-client.ts";

/** Keys a redis-server holds that does the round trips of a job without the job. */
const SEED: readonly (readonly string[])[] = [
  ["DEL", "sink", "flag", "result"],
  ["RPUSH", "flag", ""],
  ["RPUSH", "result", "x".repeat(200)],
];

/** The commands a client sends for one job, in the order of the wire protocol, section 4.1. */
export function flowOf(command: string, args: object): string[][] {
  const id = randomUUID();
  const [flag, result] = [`result:${id}:flag`, `result:${id}`];
  return [
    ["RPUSH", "core:default", jobText(id, command, args)],
    ["BRPOPLPUSH", flag, flag, "10"],
    ["EXISTS", flag],
    ["BRPOPLPUSH", result, result, "10"],
  ];
}

/** The same round trips for a server that runs no jobs. */
export function flowWithoutJob(command: string, args: object): string[][] {
  return [
    ["RPUSH", "sink", jobText(randomUUID(), command, args)],
    ["BRPOPLPUSH", "flag", "flag", "10"],
    ["EXISTS", "flag"],
    ["BRPOPLPUSH", "result", "result", "10"],
  ];
}

export async function seed(peer: Peer): Promise<void> {
  const client = await authenticated(peer);
  await client.send(SEED);
  client.close();
}

/** One command after the other, each awaited: flows per second. */
export async function oneByOne(
  peer: Peer,
  count: number,
  flow: () => string[][],
): Promise<{ rate: number; last: Reply | undefined }> {
  const client = await authenticated(peer);
  const startMs = performance.now();
  let last: Reply | undefined;
  for (let index = 0; index < count; index += 1) {
    for (const words of flow()) [last] = await client.send([words]);
  }
  const rate = perSecond(count, startMs);
  client.close();
  return { rate, last };
}

/** Everything in one write: flows per second, and the last reply of each flow. */
export async function allAtOnce(
  peer: Peer,
  count: number,
  flow: () => string[][],
): Promise<{ rate: number; results: (Reply | undefined)[] }> {
  const flows = Array.from({ length: count }, flow);
  const { rate, replies } = await inOneWrite(peer, count, flows.flat());
  const length = flows[0]?.length ?? 1;
  return { rate, results: replies.filter((_, index) => index % length === length - 1) };
}

/**
 * The same with every submission before the first wait: a wait holds up what comes after it on its
 * connection, so jobs that take time would else run one after the other.
 */
export async function submittedTogether(
  peer: Peer,
  count: number,
  flow: () => string[][],
): Promise<{ rate: number; results: (Reply | undefined)[] }> {
  const flows = Array.from({ length: count }, flow);
  const submissions = flows.map(([submission = []]) => submission);
  const waits = flows.flatMap((words) => words.slice(1));
  const { rate, replies } = await inOneWrite(peer, count, [...submissions, ...waits]);
  return { rate, results: replies.slice(count) };
}

async function inOneWrite(
  peer: Peer,
  count: number,
  requests: string[][],
): Promise<{ rate: number; replies: (Reply | undefined)[] }> {
  const client = await authenticated(peer);
  const startMs = performance.now();
  const replies = await client.send(requests);
  const rate = perSecond(count, startMs);
  client.close();
  return { rate, replies };
}

/** Submits one job and waits for its result: milliseconds and the result. */
export async function timeJob(
  peer: Peer,
  command: string,
  args: object,
): Promise<{ ms: number; result: Reply | undefined }> {
  const client = await authenticated(peer);
  const startMs = performance.now();
  const [submit = [], , , wait = []] = flowOf(command, args);
  const replies = await client.send([submit, wait.with(-1, "60")]);
  const ms = performance.now() - startMs;
  client.close();
  return { ms, result: replies[1] };
}

export async function authenticated(peer: Peer): Promise<RawClient> {
  const client = await RawClient.connect(peer.port);
  await client.send([["AUTH", peer.password]]);
  return client;
}

export function checkSuccess(reply: Reply | undefined): void {
  if (typeof reply !== "string" || !reply.includes('"state":"SUCCESS"')) {
    throw new Error(`Cannot count a job that did not succeed: ${String(reply).slice(0, 500)}`);
  }
}

const jobText = (id: string, command: string, args: object): string =>
  JSON.stringify({ id, command, arguments: args });

const perSecond = (count: number, startMs: number): number =>
  count / ((performance.now() - startMs) / 1000);
