import { AgentError } from "../base/errors.ts";
import type { BlockDevice } from "./block-device.ts";
import { runProgram } from "./program.ts";
import { sizeOf } from "./signatures.ts";

/** The shape of `disk.seektime`. */
export interface SeekTime {
  readonly device: string;
  /** Median of one random read, in microseconds. */
  readonly elapsed: number;
  readonly type: "SSD" | "HDD";
}

const READS = 40;
const READS_LIMIT_MS = 10_000;
const LIMIT_MS = 20_000;
const BLOCK_BYTES = 4096;
/** The fastest disks that turn need 3 ms for half a turn and a move; flash answers within 0.2 ms. */
const SLOWEST_SSD_US = 2000;

/**
 * Reads past all caches of the kernel. The kernel then wants memory that begins on a page, as that of
 * WebAssembly does. Prints nanoseconds as a JSON array.
 */
const MEASURE = `
const { constants, openSync, readSync } = require("node:fs");
const [path, blocks, reads, limitMs] = process.argv.slice(1);
const page = Buffer.from(new WebAssembly.Memory({ initial: 1 }).buffer, 0, ${BLOCK_BYTES});
const disk = openSync(path, constants.O_RDONLY | constants.O_DIRECT);
const end = performance.now() + Number(limitMs);
const times = [];
do {
  const position = Math.floor(Math.random() * Number(blocks)) * ${BLOCK_BYTES};
  const begin = process.hrtime.bigint();
  readSync(disk, page, 0, ${BLOCK_BYTES}, position);
  times.push(Number(process.hrtime.bigint() - begin));
} while (times.length < Number(reads) && performance.now() < end);
console.log(JSON.stringify(times));`;

/**
 * Measures random reads, in a process of its own: a disk that does not answer then holds no thread of
 * the agent.
 *
 * @throws AgentError `E_DEVICE` for an empty device; CommandError when the disk cannot be read.
 */
export async function measureSeekTime({ path, ...device }: BlockDevice): Promise<SeekTime> {
  const blocks = Math.floor(sizeOf({ path, ...device }) / BLOCK_BYTES);
  if (blocks < 1)
    throw new AgentError("E_DEVICE", `Cannot measure ${path}: it holds nothing to read`);
  const words = [path, ...[blocks, READS, READS_LIMIT_MS].map(String)];
  const { stdout } = await runProgram(process.execPath, ["-e", MEASURE, "--", ...words], {
    timeoutMs: LIMIT_MS,
  });
  const elapsed = medianMicroseconds(JSON.parse(stdout));
  return { device: path, elapsed, type: elapsed < SLOWEST_SSD_US ? "SSD" : "HDD" };
}

/** @param times Nanoseconds. */
export function medianMicroseconds(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) / 1000);
}
