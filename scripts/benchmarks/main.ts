import { parseArgs } from "node:util";
import { benchBoot } from "./boot.ts";
import { benchController } from "./controller.ts";
import { benchJobs } from "./jobs.ts";
import { benchNetwork } from "./network.ts";
import { benchRedis } from "./redis.ts";
import { benchUnlock } from "./unlock.ts";

const USAGE = `usage: scripts/bench boot [--runs N]           boot time, image size and memory, against a busybox baseline
       scripts/bench controller [--seconds N]  controller with 10 000 machines, against a bare TLS server
       scripts/bench jobs [--runs N]           job engine, against redis-server and a shell
       scripts/bench network [--runs N]        network phase in namespaces, against udhcpc alone
       scripts/bench redis [--runs N]          Redis endpoint and job engine, against redis-server
       scripts/bench unlock [--runs N]         phases unlock, controller-tls and ssh of a machine`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "3" },
    seconds: { type: "string", default: "60" },
    help: { type: "boolean", default: false },
  },
});
const [runs, seconds] = [Number(values.runs), Number(values.seconds)];
const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;
const benchmarks: Record<string, () => Promise<void>> = {
  boot: () => benchBoot(runs),
  controller: () => benchController({ seconds }),
  jobs: () => benchJobs(runs),
  network: () => benchNetwork(runs),
  redis: () => benchRedis(runs),
  unlock: () => benchUnlock(runs),
};
const benchmark = benchmarks[positionals[0] ?? ""];
if (values.help) {
  console.log(USAGE);
} else if (benchmark === undefined || !isCount(runs) || !isCount(seconds)) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  await benchmark();
}
