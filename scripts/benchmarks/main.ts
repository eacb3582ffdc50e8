import { parseArgs } from "node:util";
import { benchBoot } from "./boot.ts";
import { benchNetwork } from "./network.ts";
import { benchRedis } from "./redis.ts";

const USAGE = `usage: scripts/bench boot [--runs N]    boot time, image size and memory, against a busybox baseline
       scripts/bench network [--runs N] network phase in namespaces, against udhcpc alone
       scripts/bench redis [--runs N]   Redis endpoint and job engine, against redis-server`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "3" }, help: { type: "boolean", default: false } },
});
const runs = Number(values.runs);
const benchmarks: Record<string, (runs: number) => Promise<void>> = {
  boot: benchBoot,
  network: benchNetwork,
  redis: benchRedis,
};
const benchmark = benchmarks[positionals[0] ?? ""];
if (values.help) {
  console.log(USAGE);
} else if (benchmark === undefined || !Number.isInteger(runs) || runs < 1) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  await benchmark(runs);
}
