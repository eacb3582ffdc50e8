import { execFileSync } from "node:child_process";
import {
  allAtOnce,
  authenticated,
  checkSuccess,
  flowOf,
  flowWithoutJob,
  oneByOne,
  seed,
  submittedTogether,
  timeJob,
} from "./jobs-flow.ts";
import { type Peer, startAgent, startRedis } from "./peers.ts";
import { type Figure, median, printFigures, spread } from "./table.ts";

const SEQUENTIAL_PINGS = 3000;
const PIPELINED_PINGS = 10_000;
const SEQUENTIAL_PROGRAMS = 1000;
const CONCURRENT_PROGRAMS = 1000;
const DIRECT_PINGS = 200_000;
const CAPTURED_MB = 400;
const RESULT_BYTES = 20_000_000;
const TRUE = { name: "/bin/true" };

interface Measurement {
  readonly name: string;
  readonly bar: number;
  readonly unit: string;
  /** The bar is a ceiling. */
  readonly isTime?: boolean;
  readonly peer: string;
  readonly ours: () => Promise<number>;
  readonly theirs: () => Promise<number>;
}

/** The job engine with the endpoint in front, each figure beside a peer in the same run. */
export async function benchJobs(runs: number): Promise<void> {
  await using agent = await startAgent();
  await using redis = await startRedis();
  await seed(redis);
  const figures: Figure[] = [];
  for (const { name, bar, unit, isTime, peer, ours, theirs } of measurements(agent, redis)) {
    // Code that runs hot is compiled by then.
    for (let warm = 0; warm < 2; warm += 1) await ours();
    const [mine, others]: [number[], number[]] = [[], []];
    for (let run = 0; run < runs; run += 1) {
      others.push(await theirs());
      mine.push(await ours());
    }
    const middle = median(mine);
    figures.push({
      name,
      bar: `${isTime ? "≤" : "≥"} ${bar} ${unit}`,
      measured: `${spread(mine, 0)} ${unit}; ${peer}: ${spread(others, 0)}`,
      isMet: isTime ? middle <= bar : middle >= bar,
    });
  }
  printFigures(`Jobs, median (range) of ${runs} runs`, figures);
}

function measurements(agent: Peer, redis: Peer): Measurement[] {
  const ping = () => flowOf("core.ping", {});
  const program = () => flowOf("core.system", TRUE);
  return [
    {
      name: "core.ping in the old flow, one client, one after the other (4 round trips)",
      bar: 3000,
      unit: "jobs/s",
      peer: "redis-server, the same round trips",
      ours: async () => {
        const { rate, last } = await oneByOne(agent, SEQUENTIAL_PINGS, ping);
        checkSuccess(last);
        return rate;
      },
      theirs: async () =>
        (await oneByOne(redis, SEQUENTIAL_PINGS, () => flowWithoutJob("core.ping", {}))).rate,
    },
    {
      name: `core.ping in the old flow, ${PIPELINED_PINGS} in one pipeline`,
      bar: 20_000,
      unit: "jobs/s",
      peer: "redis-server, the same commands",
      ours: () => pipelined(agent, PIPELINED_PINGS, ping),
      theirs: async () =>
        (await allAtOnce(redis, PIPELINED_PINGS, () => flowWithoutJob("core.ping", {}))).rate,
    },
    {
      name: "core.system /bin/true, one after the other",
      bar: 900,
      unit: "jobs/s",
      peer: "a shell, /bin/true in a loop",
      ours: async () => {
        const { rate, last } = await oneByOne(agent, SEQUENTIAL_PROGRAMS, () => ends(program()));
        checkSuccess(last);
        return rate;
      },
      theirs: shellPrograms,
    },
    {
      name: `core.system /bin/true, ${CONCURRENT_PROGRAMS} at once`,
      bar: 1600,
      unit: "jobs/s",
      peer: "a shell, /bin/true in a loop",
      ours: async () => {
        const { rate, results } = await submittedTogether(agent, CONCURRENT_PROGRAMS, () =>
          ends(program()),
        );
        results.forEach(checkSuccess);
        return rate;
      },
      theirs: shellPrograms,
    },
    {
      name: "core.ping as a direct command, 50 clients",
      bar: 40_000,
      unit: "/s",
      peer: "redis-server, PING",
      ours: async () => directPings(agent, "core.ping"),
      theirs: async () => directPings(redis, "PING"),
    },
    {
      name: `output of a program, ${CAPTURED_MB} MB`,
      bar: 200,
      unit: "MB/s",
      peer: "the same pipe into cat",
      ours: async () => {
        const { ms, result } = await timeJob(agent, "bash", { script: OUTPUT });
        checkSuccess(result);
        return CAPTURED_MB / (ms / 1000);
      },
      theirs: async () => {
        const startMs = performance.now();
        execFileSync("sh", ["-c", `{ ${OUTPUT}; } | cat >/dev/null`]);
        return CAPTURED_MB / ((performance.now() - startMs) / 1000);
      },
    },
    {
      name: "result with 20 MB of data",
      bar: 1000,
      unit: "ms",
      isTime: true,
      peer: "redis-server, 20 MB there and back",
      ours: async () => {
        const script = `printf 20::; head -c ${RESULT_BYTES} /dev/zero | tr '\\0' x; echo`;
        const { ms, result } = await timeJob(agent, "bash", { script });
        checkSuccess(result);
        if (String(result).length < RESULT_BYTES) throw new Error("Cannot count a cut result");
        return ms;
      },
      theirs: () => roundTrip(redis),
    },
  ];
}

const OUTPUT = `yes 'one line of output, as long as most of them are in real life' | head -c ${CAPTURED_MB}000000`;

/** Submission and wait alone: what stands between costs nothing beside a program. */
const ends = (flow: string[][]): string[][] => flow.filter((_, index) => index % 3 === 0);

async function pipelined(agent: Peer, count: number, flow: () => string[][]): Promise<number> {
  const { rate, results } = await allAtOnce(agent, count, flow);
  results.forEach(checkSuccess);
  return rate;
}

async function shellPrograms(): Promise<number> {
  const script = `i=0; while [ $i -lt ${SEQUENTIAL_PROGRAMS} ]; do /bin/true; i=$((i + 1)); done`;
  const startMs = performance.now();
  execFileSync("sh", ["-c", script]);
  return SEQUENTIAL_PROGRAMS / ((performance.now() - startMs) / 1000);
}

function directPings(peer: Peer, command: string): number {
  // redis-benchmark takes a password from argv only; this one lives as long as the run.
  const words = ["-p", String(peer.port), "-a", peer.password, "-c", "50"];
  const output = execFileSync(
    "redis-benchmark",
    [...words, "-n", String(DIRECT_PINGS), "--csv", command],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  const row = output.split("\n").find((line) => line.startsWith(`"${command}`));
  const rate = Number(row?.split(",")[1]?.replaceAll('"', ""));
  if (!(rate > 0)) throw new Error(`Cannot read redis-benchmark's answer: ${output}`);
  return rate;
}

async function roundTrip(peer: Peer): Promise<number> {
  const client = await authenticated(peer);
  const startMs = performance.now();
  await client.send([["RPUSH", "long", "x".repeat(RESULT_BYTES)]]);
  await client.send([["BRPOPLPUSH", "long", "long", "10"]]);
  const ms = performance.now() - startMs;
  await client.send([["DEL", "long"]]);
  client.close();
  return ms;
}
