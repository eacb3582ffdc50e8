import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { type Peer, startAgent, startRedis } from "./peers.ts";
import { RawClient, type Reply } from "./raw-client.ts";
import { type Figure, median, printFigures, spread } from "./table.ts";

const PIPELINED_JOBS = 5000;
const SEQUENTIAL_JOBS = 1000;
const CONCURRENT_JOBS = 1000;

/** Endpoint and job engine against redis-server and the bars of the old system, in one run. */
export async function benchRedis(runs: number): Promise<void> {
  await using agent = await startAgent();
  await using redis = await startRedis();
  const figures: Figure[] = [];
  for (const { pipeline, requests, bar } of [
    { pipeline: 1, requests: 150_000, bar: 0.75 },
    { pipeline: 16, requests: 1_500_000, bar: 0.6 },
  ]) {
    const ratios: number[] = [];
    let last = "";
    for (let run = 0; run < runs; run += 1) {
      const theirs = pingsPerSecond(redis, pipeline, requests);
      const ours = pingsPerSecond(agent, pipeline, requests);
      ratios.push(ours / theirs);
      last = `${Math.round(ours)}/s against ${Math.round(theirs)}/s`;
    }
    figures.push({
      name: `PING, 50 clients, ${pipeline === 1 ? "no pipeline" : `-P ${pipeline}`}`,
      bar: `≥ ${bar} × redis-server`,
      measured: `${spread(ratios, 2)} × (last run ${last})`,
      isMet: median(ratios) >= bar,
    });
  }
  for (const { name, bar, measure } of [
    { name: "job flow pipelined, 5000 × core.ping", bar: 15_000, measure: pipelinedJobs },
    { name: "core.system /bin/true, one after the other", bar: 700, measure: sequentialJobs },
    { name: "core.system /bin/true, 1000 at once", bar: 1300, measure: concurrentJobs },
  ]) {
    await measure(agent);
    const rates: number[] = [];
    for (let run = 0; run < runs; run += 1) rates.push(await measure(agent));
    figures.push({
      name,
      bar: `≥ ${bar} jobs/s`,
      measured: `${spread(rates, 0)} jobs/s`,
      isMet: median(rates) >= bar,
    });
  }
  printFigures(`Redis endpoint and jobs, median (range) of ${runs} runs`, figures);
}

function pingsPerSecond(peer: Peer, pipeline: number, requests: number): number {
  // redis-benchmark takes a password from argv only; this one lives as long as the run.
  const output = execFileSync(
    "redis-benchmark",
    ["-p", String(peer.port), "-a", peer.password, "-t", "ping_mbulk", "-c", "50"].concat([
      "-n",
      String(requests),
      "-P",
      String(pipeline),
      "--csv",
    ]),
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  const row = output.split("\n").find((line) => line.startsWith('"PING'));
  const rate = Number(row?.split(",")[1]?.replaceAll('"', ""));
  if (!(rate > 0)) throw new Error(`Cannot read redis-benchmark's answer: ${output}`);
  return rate;
}

async function pipelinedJobs(peer: Peer): Promise<number> {
  const client = await authenticated(peer);
  const commands: string[][] = [];
  for (let index = 0; index < PIPELINED_JOBS; index += 1) {
    const id = randomUUID();
    commands.push(["RPUSH", "core:default", jobText(id, "core.ping", {})]);
    commands.push(["BRPOPLPUSH", `result:${id}`, `result:${id}`, "10"]);
  }
  const startMs = performance.now();
  const replies = await client.send(commands);
  const rate = PIPELINED_JOBS / ((performance.now() - startMs) / 1000);
  client.close();
  for (let index = 1; index < replies.length; index += 2) checkSuccess(replies[index]);
  return rate;
}

async function sequentialJobs(peer: Peer): Promise<number> {
  const client = await authenticated(peer);
  const startMs = performance.now();
  for (let index = 0; index < SEQUENTIAL_JOBS; index += 1) {
    const id = randomUUID();
    const replies = await client.send([
      ["RPUSH", "core:default", jobText(id, "core.system", { name: "/bin/true" })],
      ["BRPOPLPUSH", `result:${id}`, `result:${id}`, "10"],
    ]);
    checkSuccess(replies[1]);
  }
  const rate = SEQUENTIAL_JOBS / ((performance.now() - startMs) / 1000);
  client.close();
  return rate;
}

async function concurrentJobs(peer: Peer): Promise<number> {
  const client = await authenticated(peer);
  const ids = Array.from({ length: CONCURRENT_JOBS }, () => randomUUID());
  const startMs = performance.now();
  const submitted = client.send(
    ids.map((id) => ["RPUSH", "core:default", jobText(id, "core.system", { name: "/bin/true" })]),
  );
  const results = client.send(
    ids.map((id) => ["BRPOPLPUSH", `result:${id}`, `result:${id}`, "30"]),
  );
  await submitted;
  const replies = await results;
  const rate = CONCURRENT_JOBS / ((performance.now() - startMs) / 1000);
  client.close();
  replies.forEach(checkSuccess);
  return rate;
}

async function authenticated(peer: Peer): Promise<RawClient> {
  const client = await RawClient.connect(peer.port);
  await client.send([["AUTH", peer.password]]);
  return client;
}

function jobText(id: string, command: string, args: object): string {
  return JSON.stringify({ id, command, arguments: args });
}

function checkSuccess(reply: Reply | undefined): void {
  if (typeof reply !== "string" || !reply.includes('"state":"SUCCESS"')) {
    throw new Error(`Cannot count a job that did not succeed: ${String(reply)}`);
  }
}
