import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AgentError } from "../../base/errors.ts";
import { DEFAULT_DOWNLOAD_LIMITS, type DownloadReply, type DownloadRequest } from "./messages.ts";

/** At the same time. Each is a process of about 60 MB. */
export const MAX_DOWNLOADS = 4;
/** The process notices a stalled server by itself; beyond that its file system does not answer. */
const GRACE_MS = 10_000;
/** How long it may take to be gone. */
const KILL_MS = 1000;

let running = 0;

/**
 * Downloads by way of a process of its own: neither TLS nor a disk that hangs holds the agent.
 *
 * @param signal Ends it.
 * @returns Bytes stored.
 * @throws AgentError `E_DOWNLOAD`, `E_FILE`
 */
export async function startDownload(
  request: Omit<DownloadRequest, "limits"> & Partial<Pick<DownloadRequest, "limits">>,
  signal: AbortSignal,
): Promise<number> {
  if (running >= MAX_DOWNLOADS) {
    const seen = `${running} downloads run, expected less than ${MAX_DOWNLOADS}`;
    throw new AgentError("E_DOWNLOAD", `Cannot download: ${seen}`);
  }
  const child = startHelper();
  if (child.pid !== undefined) {
    running += 1;
    // One that cannot be killed, because its disk does not answer, keeps its place.
    child.once("exit", () => {
      running -= 1;
    });
  }
  try {
    return await outcomeOf(child, { limits: DEFAULT_DOWNLOAD_LIMITS, ...request }, signal);
  } finally {
    await end(child);
  }
}

/** Its place is free when the caller goes on, unless it cannot be killed. */
function end(child: ChildProcess): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  if (child.pid === undefined || hasEnded) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, KILL_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGKILL");
  });
}

function outcomeOf(
  child: ChildProcess,
  request: DownloadRequest,
  signal: AbortSignal,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const fail = (seen: string): void => {
    reject(new AgentError("E_DOWNLOAD", `Cannot download: ${seen}`));
  };
  const limitMs = request.limits.stallMs + GRACE_MS;
  const stalled = (): void => fail(`nothing was stored for ${limitMs / 1000} s`);
  let timer = setTimeout(stalled, limitMs);
  const stop = (): void => fail("the agent goes down");
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  child.on("message", (reply: DownloadReply) => {
    if ("bytes" in reply) resolve(reply.bytes);
    else if ("error" in reply) reject(new AgentError("E_DOWNLOAD", reply.error));
    else {
      clearTimeout(timer);
      timer = setTimeout(stalled, limitMs);
    }
  });
  child.once("exit", () => fail("its process ended"));
  child.once("error", (error) => fail(error.message));
  // An error means that it has ended, which `exit` tells too.
  child.send(request, () => undefined);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  });
}

/** `node0 download-helper`, from the bundle or from the source tree. */
function startHelper(): ChildProcess {
  const { fork } = process.getBuiltinModule("node:child_process");
  const bundled = join(import.meta.dirname, "node0.mjs");
  const program = existsSync(bundled) ? bundled : join(import.meta.dirname, "../../main.ts");
  return fork(program, ["download-helper"], {
    cwd: "/",
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    // No secrets of the agent's environment.
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" },
  });
}
