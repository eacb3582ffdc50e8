import { once } from "node:events";
import type { Io, Output, StopSignal } from "./io.ts";

/**
 * Bytes kept for a slow reader before writing waits. Large, because the node drops messages nobody
 * fetches (1000 per job).
 */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** The tool's surroundings in a real process. */
export function openProcessIo(): Io {
  const listeners = new Set<(signal: StopSignal) => void>();
  const stop = (signal: StopSignal) => {
    for (const listener of listeners) listener(signal);
  };
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => ({
    signal,
    handle: () => stop(signal),
  }));
  return {
    stdout: openOutput(process.stdout, () => stop("SIGPIPE")),
    stderr: openOutput(process.stderr, () => undefined),
    env: process.env,
    cwd: process.cwd(),
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    readStdin,
    streamStdin: () => process.stdin,
    ask,
    onStop(listener) {
      if (listeners.size === 0) {
        for (const { signal, handle } of handlers) process.on(signal, handle);
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        for (const { signal, handle } of handlers) process.off(signal, handle);
      };
    },
  };
}

function openOutput(stream: NodeJS.WriteStream, onClosed: () => void): Output {
  let isClosed = false;
  // The reader may go away at any time (`node0 jobs | head -1`): the rest is written to nobody.
  stream.on("error", () => {
    if (isClosed) return;
    isClosed = true;
    onClosed();
  });
  return {
    isTerminal: stream.isTTY === true,
    get size() {
      return stream.isTTY === true ? { columns: stream.columns, rows: stream.rows } : undefined;
    },
    async write(text) {
      if (isClosed) return;
      if (stream.write(text) || stream.writableLength < MAX_BUFFERED_BYTES) return;
      await Promise.race([once(stream, "drain"), once(stream, "close")]);
    },
  };
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await reader.question(question);
  } finally {
    reader.close();
  }
}
