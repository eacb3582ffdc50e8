import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { AgentError } from "../base/errors.ts";

export const SUBSYSTEMS = ["cpuset", "memory"] as const;
export type Subsystem = (typeof SUBSYSTEMS)[number];

export interface MemoryLimits {
  /** Bytes; `UNLIMITED` without a limit. */
  readonly mem: number;
  /** Bytes of swap on top of `mem`. */
  readonly swap: number;
}

/** What cgroup v1 showed for no limit: the largest multiple of a page a signed 64-bit number holds. */
export const UNLIMITED = 2 ** 63 - 4096;

/**
 * Named groups of two subsystems on cgroup v2: `<root>/memory/<name>` and `<root>/cpuset/<name>`, the
 * paths they had with cgroup v1. A process is in one cgroup only there, so whoever enters a group of
 * one subsystem leaves that of the other. Every method throws AgentError: `E_CGROUP_NONE` without
 * cgroup v2, `E_CGROUP_ABSENT` for a group or subsystem that does not exist, else `E_CGROUP`.
 * Source: kernel, `Documentation/admin-guide/cgroup-v2.rst`.
 */
export class CgroupGroups {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Names by subsystem; one without groups is left out. */
  async list(): Promise<Partial<Record<Subsystem, string[]>>> {
    await this.#controllers();
    const found: Partial<Record<Subsystem, string[]>> = {};
    for (const subsystem of SUBSYSTEMS) {
      const names = await directories(`${this.#root}/${subsystem}`);
      if (names.length > 0) found[subsystem] = names.sort();
    }
    return found;
  }

  async ensure(subsystem: string, name: string): Promise<void> {
    const available = await this.#controllers();
    if (!isSubsystem(subsystem)) throw unknownSubsystem(subsystem);
    if (!available.includes(subsystem)) {
      throw new AgentError("E_CGROUP", `Cannot use subsystem ${subsystem}: the kernel has none`);
    }
    const parent = `${this.#root}/${subsystem}`;
    await this.#enable(this.#root, subsystem);
    await attempt(`make ${parent}`, () => mkdir(parent, { recursive: true }));
    await this.#enable(parent, subsystem);
    // A new group has no limit and all of its parent's processors: the defaults of the kernel.
    await attempt(`make group ${name}`, () => mkdir(`${parent}/${name}`, { recursive: true }));
  }

  /** Its processes go to the root group. A missing group is a success. */
  async remove(subsystem: string, name: string): Promise<void> {
    await this.#controllers();
    if (!isSubsystem(subsystem)) return;
    const path = `${this.#root}/${subsystem}/${name}`;
    for (let round = 0; round < MOVE_ROUNDS; round += 1) {
      const pids = await readPids(path);
      if (pids === undefined) return;
      for (const pid of pids) await this.#move(pid, this.#root).catch(() => {});
      if (await isRemoved(path)) return;
    }
    throw new AgentError("E_CGROUP", `Cannot remove group ${name}: processes are still in it`);
  }

  async tasks(subsystem: string, name: string): Promise<number[]> {
    return (await readPids(await this.#find(subsystem, name))) ?? [];
  }

  async addTask(subsystem: string, name: string, pid: number): Promise<void> {
    await this.#move(pid, await this.#find(subsystem, name));
  }

  /** Whether the process is in the group is not looked at. */
  async removeTask(subsystem: string, name: string, pid: number): Promise<void> {
    await this.#find(subsystem, name);
    await this.#move(pid, this.#root);
  }

  /** No memory limit; processors and memory nodes as in the root group. */
  async reset(subsystem: string, name: string): Promise<void> {
    const path = await this.#find(subsystem, name);
    for (const [file, value] of subsystem === "memory" ? MEMORY_DEFAULTS : CPUSET_DEFAULTS) {
      await write(path, file, value);
    }
  }

  /** @param wanted Null only asks. */
  async memory(name: string, wanted: MemoryLimits | null): Promise<MemoryLimits> {
    const path = await this.#find("memory", name);
    if (wanted !== null) {
      await write(path, "memory.max", String(wanted.mem));
      await write(path, "memory.swap.max", String(wanted.swap));
    }
    const mem = toBytes(await read(path, "memory.max"));
    return { mem, swap: mem === UNLIMITED ? 0 : toBytes(await read(path, "memory.swap.max")) };
  }

  /** Empty texts are left as they are. */
  async cpuset(name: string, wanted: { cpus: string; mems: string }) {
    const path = await this.#find("cpuset", name);
    if (wanted.cpus !== "") await write(path, "cpuset.cpus", wanted.cpus);
    if (wanted.mems !== "") await write(path, "cpuset.mems", wanted.mems);
    const shown = async (file: string): Promise<string> =>
      (await read(path, file)) || (await read(path, `${file}.effective`));
    return { cpus: await shown("cpuset.cpus"), mems: await shown("cpuset.mems") };
  }

  async #controllers(): Promise<string[]> {
    const text = await textOf(`${this.#root}/cgroup.controllers`);
    if (text !== undefined) return text.trim().split(" ");
    throw new AgentError(
      "E_CGROUP_NONE",
      `Cannot use cgroups: there is no cgroup v2 at ${this.#root}, and v1 is not supported`,
    );
  }

  async #find(subsystem: string, name: string): Promise<string> {
    await this.#controllers();
    const path = `${this.#root}/${subsystem}/${name}`;
    if (isSubsystem(subsystem) && (await readPids(path)) !== undefined) return path;
    throw new AgentError("E_CGROUP_ABSENT", `Cannot find group ${name} of subsystem ${subsystem}`);
  }

  async #enable(parent: string, subsystem: Subsystem): Promise<void> {
    const file = "cgroup.subtree_control";
    if ((await read(parent, file)).split(" ").includes(subsystem)) return;
    await write(parent, file, `+${subsystem}`);
  }

  async #move(pid: number, group: string): Promise<void> {
    // The kernel takes 0 for whoever writes, and that would be the agent.
    if (pid < 1) throw new AgentError("E_CGROUP", `Cannot move process ${pid}: no such process`);
    await attempt(`move process ${pid}`, () => writeFile(`${group}/cgroup.procs`, String(pid)));
  }
}

const MOVE_ROUNDS = 20;
const MEMORY_DEFAULTS = [
  ["memory.max", "max"],
  ["memory.swap.max", "max"],
] as const;
const CPUSET_DEFAULTS = [
  ["cpuset.cpus", "\n"],
  ["cpuset.mems", "\n"],
] as const;

/** One path level that is none of the kernel's own files: those have a dot in their name. */
export const isGroupName = (name: string): boolean => /^[^/.\0\n]{1,200}$/.test(name);

const isSubsystem = (name: string): name is Subsystem =>
  (SUBSYSTEMS as readonly string[]).includes(name);

function unknownSubsystem(name: string): AgentError {
  const why = name === "devices" ? "cgroup v2 has no such subsystem" : "it is unknown";
  const allowed = SUBSYSTEMS.join(" or ");
  return new AgentError("E_CGROUP", `Cannot use subsystem "${name}": ${why}, expected ${allowed}`);
}

const toBytes = (text: string): number =>
  text === "max" ? UNLIMITED : Number.parseInt(text, 10) || 0;

/** Not every kernel counts swap: a missing file is no failure. */
async function write(path: string, file: string, value: string): Promise<void> {
  if (file === "memory.swap.max" && (await textOf(`${path}/${file}`)) === undefined) return;
  await attempt(`set ${file} to "${value.trim()}"`, () => writeFile(`${path}/${file}`, value));
}

const read = async (path: string, file: string): Promise<string> =>
  (await textOf(`${path}/${file}`))?.trim() ?? "";

async function readPids(path: string): Promise<number[] | undefined> {
  const text = await textOf(`${path}/cgroup.procs`);
  return text?.split("\n").filter(Boolean).map(Number);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

async function directories(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

async function isRemoved(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

async function attempt(what: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ESRCH" ? "no such process" : `the kernel answers ${code}`;
    throw new AgentError("E_CGROUP", `Cannot ${what}: ${why}`, { cause: error });
  }
}
