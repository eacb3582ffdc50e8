import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";

/**
 * Finds the file a program name stands for.
 *
 * @param name A name with a slash is taken relative to `dir`, any other is looked up in `path`.
 * @param path Value of `PATH`; relative and empty entries are skipped, they would depend on `dir`.
 * @returns Absolute path of an executable file, or undefined.
 */
export function findProgram(name: string, dir: string, path: string): string | undefined {
  if (name === "" || name.includes("\0")) return undefined;
  if (name.includes("/")) {
    const file = resolve(dir, name);
    return isExecutable(file) ? file : undefined;
  }
  for (const folder of path.split(":")) {
    if (!folder.startsWith("/")) continue;
    const file = `${folder}/${name}`;
    if (isExecutable(file)) return file;
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  // Most folders of PATH do not hold the program: statSync can say so without an exception.
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
