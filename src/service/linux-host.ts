import { closeSync, openSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import type { Files } from "../sys/files.ts";
import { parsePidStat } from "../sys/proc/pid-files.ts";
import { linuxProcessTree } from "../sys/process-tree.ts";
import { findProgram } from "../sys/spawn-path.ts";
import type { ProcessName, ServiceHost, StartedProcess, StartRequest } from "./host.ts";
import { followOutput } from "./output-file.ts";

const DEFAULT_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The real machine: child processes of the agent that lead sessions of their own. */
export function linuxServiceHost(files: Files, clock: Clock): ServiceHost {
  return {
    find: (program) => findProgram(program, "/", process.env["PATH"] ?? DEFAULT_PATH),
    start: (request) => start(files, request),
    startTicks: (pid) => startTicks(files, pid),
    bootId: linuxProcessTree.bootId,
    terminate: (pid) => signal(pid, "SIGTERM"),
    killAll: (process, cgroup) => killAll(files, process, cgroup),
    follow: (path, reader) => followOutput({ path, reader, files, clock }),
    env: (name) => (name === "PATH" ? (process.env["PATH"] ?? DEFAULT_PATH) : process.env[name]),
  };
}

async function start(files: Files, request: StartRequest): Promise<StartedProcess> {
  const { spawn } = await import("node:child_process");
  const output = openSync(request.outputFile, "a", 0o600);
  let child: ReturnType<typeof spawn>;
  try {
    child = spawn(request.path, request.args, {
      detached: true,
      stdio: ["ignore", output, output],
      env: request.env,
      cwd: request.dir,
    });
  } finally {
    closeSync(output);
  }
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, name) => {
      resolve(name === null ? `exit code ${code ?? "unknown"}` : `signal ${name}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => {
      const message = `Cannot start ${request.path}: ${cause.message}`;
      reject(new AgentError("E_SERVICE_START", message, { cause }));
    });
  });
  child.unref();
  const pid = child.pid ?? 0;
  // A child is not reaped before this turn of the event loop ends, so its start time can be read.
  const ticks = parsePidStat(files.readText(`/proc/${pid}/stat`) ?? "")?.startTicks ?? 0;
  enterCgroup(files, pid, request.cgroup);
  return { pid, startTicks: ticks, ended };
}

/** A daemon in the wrong group still does its work. */
function enterCgroup(files: Files, pid: number, cgroup: string | null): void {
  if (cgroup === null) return;
  try {
    files.writeText(`${cgroup}/cgroup.procs`, `${pid}`);
  } catch {
    // It has ended already: its exit says more than this would.
  }
}

/** A zombie keeps its number until somebody reaps it, but it does not serve anybody any more. */
function startTicks(files: Files, pid: number): number | undefined {
  const text = files.readText(`/proc/${pid}/stat`) ?? "";
  const isDead = /^[ZX]/.test(text.slice(text.lastIndexOf(")") + 2));
  return isDead ? undefined : parsePidStat(text)?.startTicks;
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in between, which is what the signal was for.
  }
}

function killAll(files: Files, process: ProcessName | undefined, cgroup: string | null): void {
  if (cgroup !== null) killCgroup(files, cgroup);
  if (process === undefined) return;
  if (linuxProcessTree.startTicks(process.pid) === process.startTicks) {
    signal(process.pid, "SIGKILL");
  }
  linuxProcessTree.killGroup(process.pid, process.startTicks);
}

function killCgroup(files: Files, cgroup: string): void {
  try {
    if (files.exists(`${cgroup}/cgroup.kill`)) {
      files.writeText(`${cgroup}/cgroup.kill`, "1");
      return;
    }
  } catch {
    // Refused for a threaded group: one by one then.
  }
  // Kernels before 5.14.
  for (const pid of files.readText(`${cgroup}/cgroup.procs`)?.trim().split("\n") ?? []) {
    if (Number(pid) > 1) signal(Number(pid), "SIGKILL");
  }
}
