import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentError, errorCode } from "../../base/errors.ts";

/** Exists when the kernel has bonding; one status file for each bond. */
export const BONDING_DIRECTORY = "/proc/net/bonding";

/** Labels and values of one section of a status file, as they stand there. */
export type BondSection = Readonly<Record<string, string>>;

/**
 * Status of all bonds by name.
 *
 * @throws AgentError `E_BONDING` when the kernel has no bonding.
 */
export async function readBonds(
  directory = BONDING_DIRECTORY,
): Promise<Record<string, BondSection[]>> {
  const bonds: Record<string, BondSection[]> = {};
  for (const name of await listBonds(directory)) {
    const text = await readStatus(join(directory, name));
    if (text !== undefined) bonds[name] = parseBond(text);
  }
  return bonds;
}

/**
 * Sections of a status file: blocks of lines between empty ones, the first tells the driver. Each line
 * is cut at its first colon, and nothing is trimmed; lines without one are titles and are left out.
 */
export function parseBond(text: string): BondSection[] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map((block) => Object.fromEntries(block.split("\n").flatMap(cutLine)))
    .filter((section) => Object.keys(section).length > 0);
}

function cutLine(line: string): [string, string][] {
  const colon = line.indexOf(":");
  return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
}

async function listBonds(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    throw new AgentError("E_BONDING", `Cannot list bonds: ${directory} is not there`, {
      cause: error,
    });
  }
}

/** Undefined when the bond is gone by now. */
async function readStatus(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
