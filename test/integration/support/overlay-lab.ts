import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { PhaseStatus } from "../../../src/sequencer/types.ts";
import { findProgram } from "../../../src/sys/spawn-path.ts";
import type { OverlayCall, OverlayNodeOptions } from "../../fixtures/overlay-node.ts";
import type { Scenario } from "../../fixtures/zerotier-one.ts";
import { writeStandIn } from "../../fixtures/zerotier-one-file.ts";

/** Directory of the service inside the lab: /run is a file system of its own there. */
export const HOME = "/run/node0/zerotier";
export const NETWORK = "8056c2e21c000001";
/** Where the identity lasts in the lab; exists when a test makes it. */
export const KEPT = "/run/node0/unlocked/zerotier";
const CONFIGURATION = "/etc/g8os/zerotier";
const CGROUPS = "/sys/fs/cgroup/services";

/** Why the lab cannot be opened here; undefined when it can. */
export function missingForLab(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces";
  const programs = ["unshare", "nsenter", "ip", "sh"];
  const missing = programs.filter((name) => findProgram(name, "/", searchPath()) === undefined);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

/** The real program, where it is installed. */
export function realZeroTier(): string | undefined {
  return findProgram("zerotier-one", "/", searchPath());
}

function searchPath(): string {
  return [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"].join(":");
}

/**
 * One node in namespaces of its own (network, mounts, processes) with loopback only. PID 1 reaps, the
 * cgroup of the lab is the root of /sys/fs/cgroup, and everything started inside ends with it.
 */
export class OverlayLab {
  readonly #keeper: ChildProcess;
  readonly #nodePid: string;
  readonly #programs: string;
  readonly #group: string;
  readonly #agents: OverlayAgent[] = [];

  private constructor(keeper: ChildProcess, nodePid: string, programs: string, group: string) {
    this.#keeper = keeper;
    this.#nodePid = nodePid;
    this.#programs = programs;
    this.#group = group;
  }

  static async open(): Promise<OverlayLab> {
    const programs = mkdtempSync(join(tmpdir(), "node0-overlay-"));
    const group = `node0-lab-${process.pid}-${Date.now()}`;
    const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const keeper = spawn("unshare", [...namespaces, "sh", "-c", PREPARE, group], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (keeper.stdout === null) throw new Error("unshare has no output");
    await once(keeper.stdout, "data");
    const nodePid = readFileSync(`/proc/${keeper.pid}/task/${keeper.pid}/children`, "utf8").trim();
    return new OverlayLab(keeper, nodePid, programs, group);
  }

  /** Puts the real program on the `PATH` of agents. */
  installReal(program: string): void {
    symlinkSync(program, join(this.#programs, "zerotier-one"));
  }

  /** Puts the stand-in on the `PATH` of agents. */
  installStandIn(): void {
    writeStandIn(join(this.#programs, "zerotier-one"), process.execPath);
  }

  /** Runs a program in the lab. @returns its output. */
  run(...words: string[]): string {
    return execFileSync("nsenter", this.#enter(words), {
      encoding: "utf8",
      timeout: 20_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Text of a file; empty where there is none. */
  read(path: string): string {
    try {
      return this.run("cat", path);
    } catch {
      return "";
    }
  }

  write(path: string, text: string): void {
    const script =
      'umask 077; mkdir -p "$(dirname "$0")" && printf %s "$1" >"$0.w" && mv "$0.w" "$0"';
    this.run("sh", "-c", script, path, text);
  }

  /** Says what the stand-in does from now on. */
  setScenario(scenario: Scenario): void {
    this.write(`${HOME}/scenario.json`, JSON.stringify(scenario));
  }

  configure(name: string, text: string): void {
    this.write(`${CONFIGURATION}/${name}`, text);
  }

  /** Pid of the service inside the lab, from its record; empty while there is none. */
  servicePid(): string {
    const [, pid = ""] =
      /"pid":(\d+)/.exec(this.read("/run/node0/services/zerotier-one.json")) ?? [];
    return pid;
  }

  startAgent(over: Partial<OverlayNodeOptions> = {}): OverlayAgent {
    const options: OverlayNodeOptions = {
      network: NETWORK,
      places: [{ directory: KEPT, mustExist: true }],
      cgroups: CGROUPS,
      ...over,
    };
    const program = [process.execPath, resolve("test/fixtures/overlay-node.ts")];
    const words = this.#enter([...program, JSON.stringify(options)]);
    const env = { ...process.env, PATH: `${this.#programs}:/usr/sbin:/usr/bin:/sbin:/bin` };
    const agent = new OverlayAgent(
      spawn("nsenter", words, { stdio: ["pipe", "pipe", "pipe"], env }),
    );
    this.#agents.push(agent);
    return agent;
  }

  async close(): Promise<void> {
    const ended = once(this.#keeper, "exit");
    this.#keeper.kill("SIGKILL");
    await ended;
    await Promise.all(this.#agents.map((agent) => agent.gone()));
    rmSync(this.#programs, { recursive: true, force: true });
    execFileSync("unshare", ["--mount", "sh", "-c", REMOVE_GROUP, this.#group]);
  }

  #enter(words: readonly string[]): string[] {
    return ["--target", this.#nodePid, "--net", "--mount", "--pid", "--", ...words];
  }
}

/**
 * The group is made in the tree of the machine and shown as the whole tree inside. The shell stays as
 * PID 1 and reaps whatever dies.
 */
const PREPARE = `
set -e
mount -t sysfs s /sys
mount -t tmpfs t /mnt
mkdir /mnt/tree
mount -t cgroup2 c /mnt/tree
mkdir -p "/mnt/tree/$0/services"
mount --bind "/mnt/tree/$0" /sys/fs/cgroup
umount /mnt/tree
mount -t tmpfs t /run
mkdir -p /etc/g8os
mount -t tmpfs t /etc/g8os
mkdir /mnt/etc
ip link set lo up
echo ready
exec </dev/null >/dev/null 2>&1
while :; do sleep 3600 & wait $!; done
`;

const REMOVE_GROUP = `
mount -t cgroup2 c /mnt
find "/mnt/$0" -depth -type d -exec rmdir {} \\;
`;

type Answer = { readonly answer: unknown } | { readonly failure: string };

/** One run of the overlay phase, and what it says. */
export class OverlayAgent {
  readonly #child: ChildProcess;
  readonly #statuses: PhaseStatus[] = [];
  readonly #answers: Answer[] = [];
  readonly #ended: Promise<unknown>;
  #log = "";
  #next = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, "exit");
    if (child.stdout === null || child.stderr === null) throw new Error("the agent has no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const value = JSON.parse(line) as PhaseStatus | Answer;
      if ("phase" in value) this.#statuses.push(value);
      else this.#answers.push(value);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
  }

  readonly #waiting: (() => void)[] = [];

  /** Everything it logged so far. */
  get log(): string {
    return this.#log;
  }

  /** The next status for which `isWanted` holds. The time limit is that of the test. */
  async until(isWanted: (status: PhaseStatus) => boolean): Promise<PhaseStatus> {
    for (;;) {
      for (; this.#next < this.#statuses.length; this.#next += 1) {
        const status = this.#statuses[this.#next];
        if (status === undefined || !isWanted(status)) continue;
        this.#next += 1;
        return status;
      }
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  /** Asks one thing and waits for its answer; a failure is thrown. */
  async ask(call: OverlayCall): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(call)}\n`);
    let answer = this.#answers.shift();
    for (; answer === undefined; answer = this.#answers.shift()) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    if ("failure" in answer) throw new Error(answer.failure);
    return answer.answer;
  }

  /** Kills it the hard way; what it started goes on. */
  async kill(): Promise<void> {
    // nsenter waits for the program it runs in the other pid namespace: that one has to die.
    const file = `/proc/${this.#child.pid}/task/${this.#child.pid}/children`;
    for (const pid of readFileSync(file, "utf8").trim().split(" ")) {
      process.kill(Number(pid), "SIGKILL");
    }
    await this.#ended;
  }

  async gone(): Promise<void> {
    await this.#ended;
  }
}
