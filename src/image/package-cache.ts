import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AgentError } from "../base/errors.ts";
import type { Apt, AptPackage } from "./apt.ts";
import { hashLock, type PackageLock, resolveSet } from "./lock.ts";
import { packageSets, type Recipe } from "./recipe.ts";
import { runTool } from "./run-tool.ts";

/** A package that is at hand. `isDrifted`: the mirror no longer had the locked version. */
export interface FetchedPackage extends AptPackage {
  readonly isDrifted: boolean;
}

export interface PackageCacheOptions {
  /** Where downloads and unpacked packages stay, so that a later build works offline. */
  readonly dir: string;
  readonly lock: PackageLock;
  readonly recipe: Recipe;
  /** Opens apt with current lists; called at most once, and only when something is missing. */
  readonly openApt: () => Promise<Apt>;
  /** Takes one line for the person at the terminal. */
  readonly say: (line: string) => void;
}

/** Downloads the locked packages by hash, and unpacks them. */
export class PackageCache {
  readonly #options: PackageCacheOptions;
  #apt: Promise<Apt> | undefined;

  constructor(options: PackageCacheOptions) {
    this.#options = options;
  }

  /** Makes sure that every package of a set is in the cache, and says which ones those are. */
  async fetchSet(name: string): Promise<FetchedPackage[]> {
    const locked = this.#options.lock.sets[name];
    if (locked === undefined) {
      throw new AgentError(
        "E_IMAGE_SET",
        `Cannot fetch packages: set ${name} is not in the lock file`,
      );
    }
    const packages = (await this.#readDrift(name)) ?? (await this.#withoutGone(name, locked));
    await mkdir(join(this.#options.dir, "packages"), { recursive: true });
    await this.#fetch(packages);
    for (const { isDrifted, name: drifted, version } of packages) {
      if (isDrifted) this.#options.say(`locked version of ${drifted} is gone, using ${version}`);
    }
    return packages;
  }

  /** Directory with the files of one fetched package. */
  async unpack(wanted: FetchedPackage): Promise<string> {
    const target = join(this.#options.dir, "unpacked", wanted.sha256);
    if (await exists(target)) return target;
    const part = `${target}.part`;
    await rm(part, { recursive: true, force: true });
    await mkdir(part, { recursive: true });
    await runTool("dpkg-deb", ["--extract", this.#file(wanted), part]);
    await rename(part, target);
    return target;
  }

  #file(wanted: AptPackage): string {
    return join(this.#options.dir, "packages", `${wanted.sha256}.deb`);
  }

  #openApt(): Promise<Apt> {
    this.#apt ??= this.#options.openApt();
    return this.#apt;
  }

  /** Downloads what is missing in one go: each start of apt takes its time. */
  async #fetch(packages: readonly FetchedPackage[]): Promise<void> {
    const missing: FetchedPackage[] = [];
    for (const entry of packages) if (!(await exists(this.#file(entry)))) missing.push(entry);
    if (missing.length === 0) return;
    const apt = await this.#openApt();
    this.#options.say(`fetching ${missing.length} Debian packages`);
    const dir = join(this.#options.dir, "packages", `part-${process.pid}`);
    await mkdir(dir, { recursive: true });
    try {
      await apt.download(missing, dir);
      for (const file of await readdir(dir)) {
        const sha256 = await hashFile(join(dir, file));
        await rename(join(dir, file), join(this.#options.dir, "packages", `${sha256}.deb`));
      }
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
    for (const entry of missing) {
      if (await exists(this.#file(entry))) continue;
      throw new AgentError(
        "E_IMAGE_HASH",
        `Cannot use package ${entry.name} ${entry.version}: other bytes came than expected (SHA-256 ${entry.sha256})`,
      );
    }
  }

  /** Replaces what is neither in the cache nor on the mirror by the mirror's current version. */
  async #withoutGone(set: string, locked: readonly AptPackage[]): Promise<FetchedPackage[]> {
    const kept = locked.map((entry) => ({ ...entry, isDrifted: false }));
    const missing: AptPackage[] = [];
    for (const entry of locked) if (!(await exists(this.#file(entry)))) missing.push(entry);
    if (missing.length === 0) return kept;
    const apt = await this.#openApt();
    const offers = await apt.offers(missing.map((entry) => entry.name));
    const offered = new Set(offers.map((offer) => `${offer.name} ${offer.sha256}`));
    if (missing.every((entry) => offered.has(`${entry.name} ${entry.sha256}`))) return kept;
    // Versions of one set belong together (a kernel changes its package name): take all of them.
    const { recipe } = this.#options;
    const current = await resolveSet(apt, recipe, packageSets(recipe).get(set) ?? { packages: [] });
    const packages = markDrift(locked, current);
    await writeFile(await this.#driftFile(set), JSON.stringify(packages));
    return packages;
  }

  async #readDrift(set: string): Promise<FetchedPackage[] | undefined> {
    const text = await readFile(await this.#driftFile(set), "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as FetchedPackage[]);
  }

  async #driftFile(set: string): Promise<string> {
    await mkdir(this.#options.dir, { recursive: true });
    return join(
      this.#options.dir,
      `drift-${set}-${hashLock(this.#options.lock).slice(0, 16)}.json`,
    );
  }
}

/** Marks each current package that is not exactly the locked one. */
export function markDrift(
  locked: readonly AptPackage[],
  current: readonly AptPackage[],
): FetchedPackage[] {
  const known = new Set(locked.map((entry) => entry.sha256));
  return current.map((entry) => ({ ...entry, isDrifted: !known.has(entry.sha256) }));
}

/** SHA-256 of a file in lower-case hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest("hex");
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
