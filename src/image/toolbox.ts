import { createHash } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, type FetchedPackage, type PackageCache } from "./package-cache.ts";
import { runTool, type ToolOptions } from "./run-tool.ts";

const LIBRARIES = "usr/lib/x86_64-linux-gnu";

/**
 * The programs that make an image, out of the locked Debian packages instead of the build machine's
 * own, so that the same commit gives the same bytes on every build machine. They run in place through
 * their own dynamic loader; nothing is installed.
 */
export class Toolbox {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(cache: PackageCache, cacheDir: string): Promise<Toolbox> {
    const packages = await cache.fetchSet("tools");
    const root = join(cacheDir, "tools", hashPackages(packages));
    if (await exists(root)) return new Toolbox(root);
    const part = `${root}.part`;
    await rm(part, { recursive: true, force: true });
    await mkdir(part, { recursive: true });
    for (const wanted of packages) {
      const files = await cache.unpack(wanted);
      await runTool("cp", ["-a", "--", `${files}/.`, part]);
    }
    await rename(part, root);
    return new Toolbox(root);
  }

  /** Runs a program by its path below `usr`, for example `bin/mksquashfs`. */
  run(program: string, args: readonly string[], options?: ToolOptions): Promise<string> {
    const libraries = join(this.#root, LIBRARIES);
    return runTool(
      join(libraries, "ld-linux-x86-64.so.2"),
      ["--library-path", libraries, join(this.#root, "usr", program), ...args],
      options,
    );
  }
}

function hashPackages(packages: readonly FetchedPackage[]): string {
  const hash = createHash("sha256");
  for (const { sha256 } of packages) hash.update(sha256);
  return hash.digest("hex").slice(0, 32);
}
