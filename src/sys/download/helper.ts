import { errorText } from "../../base/errors.ts";
import { download } from "./download.ts";
import type { DownloadReply, DownloadRequest } from "./messages.ts";

/** Often enough for whoever waits. */
const PROGRESS_MS = 1000;

/** The process of one download. It is told what to do over the channel it was started with. */
export async function runDownloadHelper(): Promise<number> {
  // The protocol names the mode of the file, not what is left of it.
  process.umask(0);
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.once("message", (request: DownloadRequest) => void perform(request));
  return await new Promise(() => {});
}

async function perform(request: DownloadRequest): Promise<void> {
  let toldMs = performance.now();
  const progress = (): void => {
    const nowMs = performance.now();
    if (nowMs - toldMs < PROGRESS_MS) return;
    toldMs = nowMs;
    say({ progress: true });
  };
  try {
    say({ bytes: await download(request, progress) });
  } catch (error) {
    say({ error: errorText(error) });
  }
}

function say(reply: DownloadReply): void {
  process.send?.(reply);
}
