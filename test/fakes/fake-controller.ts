import { AgentError } from "../../src/base/errors.ts";
import type { Ask, Asked } from "../../src/vault/controller-client.ts";
import type { ControllerReply } from "../../src/vault/controller-request.ts";

/** One answer: a status with a body, or the code and reason of a failure. */
export type FakeReply =
  | { readonly status: number; readonly body: object; readonly headers?: Record<string, string> }
  | { readonly code: string; readonly reason: string };

/** A controller that says what it is told to, the last thing for ever. */
export class FakeController {
  readonly url = "https://controller";
  readonly asked: { readonly method: string; readonly path: string; readonly body: unknown }[] = [];
  replies: FakeReply[] = [];

  async ask<T>({ method, path, body, read, signal }: Ask<T>): Promise<Asked<T>> {
    signal.throwIfAborted();
    this.asked.push({ method, path, body });
    const reply = this.replies.length > 1 ? this.replies.shift() : this.replies[0];
    if (reply === undefined) throw new AgentError("E_CONTROLLER", "nothing to say");
    if ("code" in reply) throw new AgentError(reply.code, reply.reason);
    const answer: ControllerReply = {
      status: reply.status,
      headers: reply.headers ?? {},
      body: Buffer.from(JSON.stringify(reply.body)),
    };
    return { url: this.url, answer: read(answer) };
  }
}
