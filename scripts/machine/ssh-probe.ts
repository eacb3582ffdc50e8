import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "../../src/base/errors.ts";

const NEXT_ATTEMPT_MS = 100;
const ATTEMPT_LIMIT_MS = 2000;

/**
 * Waits until an SSH server introduces itself on a loopback port. QEMU accepts connections for a machine
 * that does not; those are closed again, or stay silent.
 *
 * @throws AgentError `E_MACHINE_SSH` when the time is over.
 */
export async function waitSsh(
  port: number,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await attempt(port))) {
    signal?.throwIfAborted();
    if (performance.now() > deadlineMs) {
      throw new AgentError(
        "E_MACHINE_SSH",
        `Cannot reach sshd of the machine on port ${port}: no banner within ${timeoutMs} ms`,
      );
    }
    await sleep(NEXT_ATTEMPT_MS);
  }
}

/** One connection: whether the first line was that of an SSH server (RFC 4253, section 4.2). */
function attempt(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    const finish = (): void => {
      socket.destroy();
      resolve(text.startsWith("SSH-2.0-"));
    };
    socket.setTimeout(ATTEMPT_LIMIT_MS, finish);
    socket.on("error", finish);
    socket.on("close", finish);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) finish();
    });
  });
}
