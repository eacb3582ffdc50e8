import { realpath } from "node:fs/promises";
import { posix } from "node:path";
import { errorCode } from "../base/errors.ts";
import { fileError, showPath } from "./file-errors.ts";

/**
 * What the node consists of: never removed or moved as a whole, by whatever way their names are
 * reached. What is in them can be.
 */
const SYSTEM_PATHS: ReadonlySet<string> = new Set(
  [
    "/",
    ...["bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt"],
    ...["opt", "proc", "root", "run", "run/node0", "sbin", "srv", "sys", "tmp", "usr", "var"],
    ...["usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "usr/share", "mnt/etc", "var/run"],
  ].map((name) => posix.join("/", name)),
);

/** Absolute path; a relative one counts from `/`. @throws AgentError `E_FILE` for one no file can have. */
export function resolvePath(verb: string, path: string): string {
  if (path === "") throw fileError(verb, path, "an empty path seen, expected the path of a file");
  if (path.includes("\0")) throw fileError(verb, path, "a zero byte seen, expected none");
  return posix.resolve("/", path);
}

/** A name in a directory whose own path holds no link any more. */
export interface Place {
  readonly directory: string;
  readonly name: string;
  readonly path: string;
}

/**
 * Finds where a name really is; a link that the name itself is, is not followed. Undefined when the
 * directory does not exist.
 *
 * @throws AgentError `E_FILE` for what the node consists of.
 */
export async function findPlace(verb: string, given: string): Promise<Place | undefined> {
  const path = resolvePath(verb, given);
  if (SYSTEM_PATHS.has(path)) throw systemPath(verb, given, path);
  const name = posix.basename(path);
  const directory = await realDirectory(verb, given, posix.dirname(path));
  if (directory === undefined) return undefined;
  const real = posix.join(directory, name);
  if (SYSTEM_PATHS.has(real)) throw systemPath(verb, given, real);
  return { directory, name, path: real };
}

async function realDirectory(
  verb: string,
  given: string,
  directory: string,
): Promise<string | undefined> {
  try {
    return await realpath(directory);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw fileError(verb, given, error);
  }
}

function systemPath(verb: string, given: string, real: string): Error {
  const shown = real === given ? "it" : showPath(real);
  return fileError(verb, given, `${shown} is a part of the node itself, expected another path`);
}
