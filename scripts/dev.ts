import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { stopChild } from "./stop-child.ts";

const ROOT = join(import.meta.dirname, "..");
const STATE = join(ROOT, ".node0/dev");
const SOCKET = join(STATE, "redis.sock");
const SETTLE_MS = 100;

const COLOURS: Record<string, number> = { debug: 90, info: 36, warn: 33, error: 31 };
const isColoured = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;

/**
 * The inner loop: the agent in its own network, mount, pid, ipc and uts namespaces, reached through
 * a unix socket because sockets in the file system cross network namespaces.
 */
function startAgent(): ChildProcess {
  const isRoot = process.getuid?.() === 0;
  const namespaces = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc"];
  const child = spawn(
    "unshare",
    [...(isRoot ? [] : ["--map-root-user"]), ...namespaces, "--kill-child=SIGTERM", "--"].concat([
      join(ROOT, "bin/node0"),
      "agent",
      "--host",
      "--socket",
      SOCKET,
      "--state-dir",
      STATE,
      "--log-level",
      "debug",
    ]),
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => console.log(readable(line)));
  }
  return child;
}

/** `unshare` does not pass signals on: the agent, its only child, is told directly. */
async function stopAgent(unshare: ChildProcess): Promise<void> {
  try {
    const children = readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, "utf8");
    for (const pid of children.match(/\d+/g) ?? []) process.kill(Number(pid), "SIGTERM");
  } catch {
    // It has ended already.
  }
  await stopChild(unshare);
}

/** One JSON log line as a person reads it; any other line as it is. */
function readable(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const { time, level, component, msg, ...fields } = JSON.parse(line) as Record<string, string>;
    const rest = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    const head = `${time?.slice(11, 23) ?? ""} ${level ?? ""}`;
    const text = [component, msg, ...rest].filter((part) => part !== undefined).join(" ");
    return isColoured
      ? `\u001b[${COLOURS[level ?? ""] ?? 0}m${head}\u001b[0m ${text}`
      : `${head} ${text}`;
  } catch {
    return line;
  }
}

mkdirSync(STATE, { recursive: true, mode: 0o700 });
console.log(`redis-cli -s ${SOCKET} core.ping`);
let agent = startAgent();
let changes = 0;

for (const directory of ["src", "etc"]) {
  watch(join(ROOT, directory), { recursive: true }, () => {
    changes += 1;
    void restart(changes);
  });
}

/** An editor saves in several steps: only the last change of a burst restarts the agent. */
async function restart(change: number): Promise<void> {
  await sleep(SETTLE_MS);
  if (change !== changes) return;
  await stopAgent(agent);
  console.log("source changed, agent restarted");
  agent = startAgent();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void stopAgent(agent).then(() => process.exit(0));
  });
}
