import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { AgentError, errorText } from "../base/errors.ts";
import type { Cgroup, CgroupLimits, Cgroups, CgroupUsage } from "./cgroup.ts";
import { readText } from "./proc/read-text.ts";

/**
 * One cgroup for each job below two directories of a cgroup v2 hierarchy: `jobs`, whose members have
 * no controllers and are cheap to make, and `jobs-limited`, whose members can be limited.
 * Source: kernel, `Documentation/admin-guide/cgroup-v2.rst`.
 */
export class LinuxCgroups implements Cgroups {
  readonly #root: string;
  #obstacle: string | null | undefined;
  #serial = 0;

  /** @param root Where cgroup v2 is mounted, or a cgroup below that hands controllers on. */
  constructor(root: string) {
    this.#root = root;
  }

  get obstacle(): string | undefined {
    this.#obstacle ??= existsSync(`${this.#root}/cgroup.controllers`)
      ? null
      : `there is no cgroup v2 at ${this.#root}`;
    return this.#obstacle ?? undefined;
  }

  create(id: string, limits: CgroupLimits): Cgroup {
    const wanted = settingsOf(limits);
    const parent = `${this.#root}/${wanted.length === 0 ? PLAIN : LIMITED}`;
    if (this.obstacle !== undefined) throw failure(id, this.obstacle);
    if (wanted.length > 0) this.#handOn(id, parent, wanted);
    const path = this.#make(id, parent);
    try {
      for (const { file, value, isOptional } of wanted) {
        if (!isOptional || existsSync(`${path}/${file}`)) writeFileSync(`${path}/${file}`, value);
      }
    } catch (error) {
      removeTree(path);
      throw failure(id, errorText(error));
    }
    return new LinuxCgroup(path);
  }

  killLeftovers(ids: Iterable<string>): number {
    const unfinished = new Set(Array.from(ids, nameOf));
    let count = 0;
    for (const parent of [PLAIN, LIMITED]) {
      for (const name of subdirectories(`${this.#root}/${parent}`)) {
        const left = new LinuxCgroup(`${this.#root}/${parent}/${name}`);
        if (!unfinished.has(withoutSerial(name))) {
          left.release();
          continue;
        }
        if (left.isPopulated()) count += 1;
        left.remove();
      }
    }
    return count;
  }

  /** The cgroup of an earlier run of the same job may still wait for its last process to die. */
  #make(id: string, parent: string): string {
    const name = nameOf(id);
    let attempt = name;
    for (let left = MAKE_ATTEMPTS; ; left -= 1) {
      try {
        mkdirSync(`${parent}/${attempt}`);
        return `${parent}/${attempt}`;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (left === 0 || (code !== "ENOENT" && code !== "EEXIST")) {
          throw failure(id, errorText(error));
        }
        if (code === "ENOENT") mkdirSync(parent, { recursive: true });
        this.#serial += 1;
        if (code === "EEXIST") attempt = `${name}~${this.#serial}`;
      }
    }
  }

  #handOn(id: string, parent: string, wanted: readonly Setting[]): void {
    try {
      mkdirSync(parent, { recursive: true });
    } catch (error) {
      throw failure(id, errorText(error));
    }
    const names = [...new Set(wanted.map(({ file }) => file.slice(0, file.indexOf("."))))];
    const available = words(`${parent}/cgroup.controllers`);
    const absent = names.filter((name) => !available.includes(name));
    if (absent.length > 0) throw failure(id, `no controller ${absent.join(", ")} at ${parent}`);
    const enabled = words(`${parent}/cgroup.subtree_control`);
    const missing = names.filter((name) => !enabled.includes(name));
    if (missing.length === 0) return;
    try {
      writeFileSync(
        `${parent}/cgroup.subtree_control`,
        missing.map((name) => `+${name}`).join(" "),
      );
    } catch (error) {
      throw failure(id, errorText(error));
    }
  }
}

const MAKE_ATTEMPTS = 100;
const PLAIN = "jobs";
const LIMITED = "jobs-limited";

class LinuxCgroup implements Cgroup {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  usage(): CgroupUsage | undefined {
    const stat = readText(`${this.path}/cpu.stat`);
    if (stat === undefined) return undefined;
    const memory = readText(`${this.path}/memory.current`);
    return {
      cpuMs: flatValue(stat, "usage_usec") / MICROSECONDS_PER_MS,
      memoryBytes: memory === undefined ? null : Number(memory),
    };
  }

  pids(): number[] {
    return cgroupPids(this.path);
  }

  isPopulated(): boolean {
    return flatValue(readText(`${this.path}/cgroup.events`) ?? "", "populated") === 1;
  }

  kill(): void {
    try {
      writeFileSync(`${this.path}/cgroup.kill`, "1");
    } catch {
      // Removed already: nobody is in it.
    }
  }

  ranOutOfMemory(): boolean {
    return flatValue(readText(`${this.path}/memory.events`) ?? "", "oom_kill") > 0;
  }

  remove(): void {
    if (removeTree(this.path)) return;
    this.kill();
    // A killed process leaves its cgroup when it is dead, which one in the middle of I/O is later.
    this.#removeLater(FIRST_RETRY_MS, () => this.kill());
  }

  release(): void {
    if (!removeTree(this.path)) this.#removeLater(FIRST_RETRY_MS);
  }

  #removeLater(delayMs: number, onOccupied: () => void = () => {}): void {
    setTimeout(() => {
      if (removeTree(this.path)) return;
      onOccupied();
      this.#removeLater(Math.min(delayMs * 2, LAST_RETRY_MS), onOccupied);
    }, delayMs).unref();
  }
}

const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 10_000;
const MICROSECONDS_PER_MS = 1000;

/** Processes of a cgroup itself, not of those below it. */
export function cgroupPids(path: string): number[] {
  return words(`${path}/cgroup.procs`).map(Number);
}

interface Setting {
  readonly file: string;
  readonly value: string;
  /** Not every kernel has it. */
  readonly isOptional?: boolean;
}

function settingsOf({ memory, pids, cpu }: CgroupLimits): Setting[] {
  const settings: Setting[] = [];
  if (memory > 0) {
    settings.push({ file: "memory.max", value: String(memory) });
    settings.push({ file: "memory.swap.max", value: "0", isOptional: true });
    // A job that lost one of its processes is of no use to anybody.
    settings.push({ file: "memory.oom.group", value: "1" });
  }
  if (pids > 0) settings.push({ file: "pids.max", value: String(pids) });
  if (cpu > 0) {
    const quota = Math.max(SHORTEST_QUOTA_US, Math.round((cpu * PERIOD_US) / 100));
    settings.push({ file: "cpu.max", value: `${quota} ${PERIOD_US}` });
  }
  return settings;
}

const PERIOD_US = 100_000;
const SHORTEST_QUOTA_US = 1000;

/**
 * A name no two ids share, and none of the kernel's own files: those have a dot in their name, and
 * here it is escaped.
 */
export function nameOf(id: string): string {
  const name = encodeURIComponent(id.toWellFormed()).replaceAll(/[.!~*'()]/g, escapeUnit);
  if (name.length <= LONGEST_NAME && name !== "") return name;
  return `~${createHash("sha256").update(id).digest("hex")}`;
}

/** The name of a job's first cgroup: a tilde of an id is escaped, and a digest alone begins with one. */
const withoutSerial = (name: string): string => name.replace(/(?<=.)~\d+$/, "");

/** File names may have 255 bytes; this leaves room for a number. */
const LONGEST_NAME = 200;

function escapeUnit(unit: string): string {
  return `%${unit.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Removes a cgroup and those its members made in it. @returns False while processes are left. */
function removeTree(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
  }
  const below = subdirectories(path);
  if (below.length === 0) return false;
  for (const name of below) if (!removeTree(`${path}/${name}`)) return false;
  return removeTree(path);
}

function subdirectories(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

function words(path: string): string[] {
  return (readText(path) ?? "").split(/\s+/).filter((word) => word !== "");
}

/** A value of a flat keyed file; 0 where it is missing. */
function flatValue(text: string, key: string): number {
  const line = text.split("\n").find((row) => row.startsWith(`${key} `));
  return line === undefined ? 0 : Number(line.slice(key.length + 1));
}

function failure(id: string, reason: string): AgentError {
  return new AgentError("E_CGROUP", `Cannot make a cgroup for job "${id}": ${reason}`);
}
