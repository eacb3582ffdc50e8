import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../client/client.ts";
import { formatEndpoint } from "../../client/errors.ts";
import { followUntilStopped } from "../follow.ts";
import type { Invocation } from "../invocation.ts";
import { formatYaml } from "../yaml.ts";
import { layOutPicture } from "./layout.ts";
import { makePicture, type Picture, type Sample, takeSample } from "./picture.ts";

const DEFAULT_INTERVAL_S = 2;
/** Before the first picture: long enough to tell who is busy. */
const FIRST_MS = 500;
/** How long one question may take. */
const ANSWER_MS = 30_000;

/** A screen of its own, whose end brings back what was there before. */
const ENTER_SCREEN = "\u001b[?1049h\u001b[?25l";
const LEAVE_SCREEN = "\u001b[?25h\u001b[?1049l";

/** @returns the exit code */
export async function showTop(invocation: Invocation): Promise<number> {
  const { io, input, format } = invocation;
  const isScreen = io.stdout.isTerminal && (format ?? "table") === "table";
  const intervalMs = (input.number("interval") ?? DEFAULT_INTERVAL_S) * 1000;
  let left = input.number("count") ?? (isScreen ? Number.POSITIVE_INFINITY : 1);
  let hasEntered = false;
  try {
    return await followUntilStopped(invocation, async (client, signal) => {
      let before = await sampleOf(client, signal);
      for (let waitMs = Math.min(FIRST_MS, intervalMs); left > 0; waitMs = intervalMs) {
        await sleep(waitMs, undefined, { signal });
        const now = await sampleOf(client, signal);
        if (isScreen && !hasEntered) {
          hasEntered = true;
          await io.stdout.write(ENTER_SCREEN);
        }
        await show(invocation, { picture: makePicture(before, now), client, isScreen });
        before = now;
        left -= 1;
      }
    });
  } finally {
    if (hasEntered) await io.stdout.write(LEAVE_SCREEN);
  }
}

const sampleOf = (client: Client, signal: AbortSignal): Promise<Sample> =>
  takeSample(client, { timeoutMs: ANSWER_MS, signal });

async function show(
  { io, format, paint }: Invocation,
  shown: { readonly picture: Picture; readonly client: Client; readonly isScreen: boolean },
): Promise<void> {
  const { picture, client, isScreen } = shown;
  if (format === "json" || format === "yaml") {
    const value = { time: new Date().toISOString(), ...picture };
    const text = format === "json" ? `${JSON.stringify(value)}\n` : `---\n${formatYaml(value)}`;
    await io.stdout.write(text);
    return;
  }
  const lines = layOutPicture(picture, {
    endpoint: formatEndpoint(client.endpoint),
    nowMs: Date.now(),
    paint,
    size: isScreen ? io.stdout.size : undefined,
  });
  // In one piece, over what is there: clearing the screen first would make it flicker.
  const text = isScreen
    ? `\u001b[H${lines.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`
    : `${lines.join("\n")}\n`;
  await io.stdout.write(text);
}
