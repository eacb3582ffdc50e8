import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "../../src/base/errors.ts";

export interface PongWait {
  readonly port: number;
  readonly password: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const NEXT_ATTEMPT_MS = 100;
const ATTEMPT_LIMIT_MS = 2000;

/**
 * Waits for the first authenticated PONG on a loopback port.
 *
 * QEMU accepts connections long before the machine does and never fails those that came too early,
 * so a new attempt starts every 100 ms without waiting for the ones before.
 *
 * @throws AgentError `E_MACHINE_PASSWORD` when the machine refuses the password, `E_MACHINE_SILENT`
 *   when the time is over.
 */
export async function waitPong({ port, password, timeoutMs, signal }: PongWait): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  const first = Promise.withResolvers<string>();
  let answer: string | null = null;
  while (answer === null) {
    signal?.throwIfAborted();
    if (performance.now() > deadlineMs) throw silent(port, timeoutMs);
    void attempt(port, password).then((text) => text !== null && first.resolve(text));
    answer = await Promise.race([first.promise, sleep(NEXT_ATTEMPT_MS, null)]);
  }
  if (answer !== "+OK\r\n+PONG\r\n") {
    const text = answer.trim().split("\r\n")[0] ?? "";
    throw new AgentError("E_MACHINE_PASSWORD", `Cannot log in to the machine: ${text}`);
  }
}

function silent(port: number, timeoutMs: number): AgentError {
  return new AgentError(
    "E_MACHINE_SILENT",
    `Cannot reach the machine on port ${port}: no answer within ${timeoutMs} ms`,
  );
}

/** One connection; null when nothing sensible came back. */
function attempt(port: number, password: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    const finish = (answer: string | null): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ATTEMPT_LIMIT_MS, () => finish(null));
    socket.on("error", () => finish(null));
    socket.on("close", () => finish(null));
    socket.on("connect", () => socket.write(formatRequests([["AUTH", password], ["PING"]])));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith("\r\n") && (text.startsWith("-") || text.includes("+PONG"))) finish(text);
    });
  });
}

function formatRequests(requests: readonly (readonly string[])[]): string {
  return requests
    .flatMap((words) => [
      `*${words.length}\r\n`,
      ...words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`),
    ])
    .join("");
}
