import { randomInt } from "node:crypto";
import { AgentError } from "../base/errors.ts";
import { readText } from "../sys/proc/read-text.ts";
import type { BlockDevice } from "./block-device.ts";
import { runProgram } from "./program.ts";

/** The shape of `disk.seektime`. */
export interface SeekTime {
  readonly device: string;
  /** Median of one random read, in microseconds. */
  readonly elapsed: number;
  readonly type: "SSD" | "HDD";
}

const READS = 40;
const LIMIT_MS = 15_000;
const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
/** The fastest disks that turn need 3 ms for half a turn and a move; flash answers within 0.2 ms. */
const SLOWEST_SSD_US = 2000;

/**
 * Measures random reads that no memory of the kernel answers (O_DIRECT). Each is a process of its own:
 * a disk that does not answer then holds no thread of the agent. The program measures the read itself.
 *
 * @throws AgentError `E_DEVICE` for an empty device; CommandError as {@link runProgram}.
 */
export async function measureSeekTime(device: BlockDevice): Promise<SeekTime> {
  const sectors = Number(readText(`${device.sysPath}/size`) ?? 0);
  const blocks = Math.floor((sectors * SECTOR_BYTES) / BLOCK_BYTES);
  if (blocks < 1) {
    throw new AgentError("E_DEVICE", `Cannot measure ${device.path}: it holds nothing to read`);
  }
  const deadline = performance.now() + LIMIT_MS;
  const times: number[] = [];
  do {
    const timeoutMs = Math.max(1, Math.round(deadline - performance.now()));
    times.push(await readOnce(device.path, randomInt(Math.min(blocks, MOST_BLOCKS)), timeoutMs));
  } while (times.length < READS && performance.now() < deadline);
  const elapsed = median(times);
  return { device: device.path, elapsed, type: elapsed < SLOWEST_SSD_US ? "SSD" : "HDD" };
}

/** Limit of the generator; 1 EiB in blocks. */
const MOST_BLOCKS = 2 ** 48 - 1;

async function readOnce(path: string, block: number, timeoutMs: number): Promise<number> {
  const { stderr } = await runProgram(
    "dd",
    [`if=${path}`, "of=/dev/null", `bs=${BLOCK_BYTES}`, "count=1", `skip=${block}`, "iflag=direct"],
    { timeoutMs },
  );
  return parseReadTime(stderr);
}

/**
 * Microseconds in the report of dd: `4096 bytes (4.1 kB, 4.0 KiB) copied, 0.000123 s, 33 MB/s`, or
 * `seconds` from busybox.
 *
 * @throws AgentError `E_SEEK_TIME` when there are none.
 */
export function parseReadTime(report: string): number {
  const [, seconds] = /copied, (\d[\d.e+-]*) s/.exec(report) ?? [];
  if (seconds === undefined) {
    throw new AgentError("E_SEEK_TIME", `Cannot measure: ${JSON.stringify(report)} seen from dd`);
  }
  return Math.round(Number(seconds) * 1e6);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
