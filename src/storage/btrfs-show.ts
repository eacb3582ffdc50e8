import { AgentError } from "../base/errors.ts";
import {
  type BtrfsFilesystem,
  type BtrfsSubvolume,
  type BtrfsUsage,
  parseFilesystems,
  parseQuotas,
  parseSubvolumes,
  parseUsage,
} from "./btrfs-parse.ts";
import { requireAbsolute } from "./btrfs-paths.ts";
import { runProgram, tryProgram } from "./program.ts";

/** All btrfs file systems, mounted or not. */
export async function listFilesystems(): Promise<BtrfsFilesystem[]> {
  const { stdout, stderr } = await runProgram("btrfs", ["filesystem", "show", "--raw"]);
  return parseFilesystems(stdout).map((one) => withWarnings(one, stderr));
}

/** One mounted file system. */
export async function describeFilesystem(
  mountpoint: string,
): Promise<BtrfsFilesystem & BtrfsUsage> {
  const path = requireAbsolute("mountpoint", mountpoint);
  const show = await runProgram("btrfs", ["filesystem", "show", "--raw", "--", path]);
  const usage = await runProgram("btrfs", ["filesystem", "df", "--raw", "--", path]);
  const [found] = parseFilesystems(show.stdout);
  if (found === undefined) {
    throw new AgentError("E_BTRFS", `Cannot describe ${path}: btrfs shows no file system there`);
  }
  return { ...withWarnings(found, show.stderr), ...parseUsage(usage.stdout) };
}

/** Subvolumes below a path, with their limits: 0 when there is none. */
export async function listSubvolumes(
  given: string,
): Promise<(BtrfsSubvolume & { Quota: number })[]> {
  const path = requireAbsolute("path", given);
  const { stdout } = await runProgram("btrfs", ["subvolume", "list", "-o", "--", path]);
  // Fails where quotas were never switched on: then there are no limits.
  const quotas = await tryProgram("btrfs", ["qgroup", "show", "--raw", "-r", "--", path]);
  const limits = parseQuotas(quotas.status === 0 ? quotas.stdout : "");
  return parseSubvolumes(stdout).map((one) => ({ ...one, Quota: limits.get(one.ID) ?? 0 }));
}

/** What the program said beside its list is about all of it. */
function withWarnings(found: BtrfsFilesystem, stderr: string): BtrfsFilesystem {
  const warnings = [found.warnings, stderr.trim()].filter((text) => text !== "").join("\n");
  return { ...found, warnings };
}
