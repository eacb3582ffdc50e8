import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { AgentError, errorText } from "../base/errors.ts";
import { JsonEnd } from "../base/json-end.ts";
import { commandFrom } from "../job/decode.ts";
import type { MessageHub } from "../job/message-hub.ts";
import type { CommandObject, JobResult, OwnJobs } from "../job/types.ts";
import { jsonText } from "./json-text.ts";
import type { LocalLimits } from "./local-socket.ts";

export interface LocalRequestOptions {
  readonly jobs: OwnJobs;
  readonly messages: MessageHub;
  readonly clock: Clock;
  readonly limits: LocalLimits;
  /** Too many connections are open already. */
  readonly isFull: boolean;
}

/** Reads the one request of a connection, writes the one answer and closes (wire protocol 1.5). */
export function serveLocal(socket: Socket, options: LocalRequestOptions): void {
  const { clock, limits, isFull } = options;
  let cancelTimer = (): void => {};
  const end = new JsonEnd();
  const chunks: Buffer[] = [];
  let size = 0;

  const answer = (result: JobResult): void => {
    socket.off("data", onData);
    socket.off("end", onEnd);
    cancelTimer();
    // Closed with unread bytes, the other side would get an error in place of the answer.
    socket.resume();
    socket.once("end", () => socket.destroySoon());
    socket.end(`${jsonText(result)}\n`, () => {
      if (socket.readableEnded) socket.destroy();
      else clock.after(LINGER_MS, () => socket.destroy());
    });
    cancelTimer = clock.after(limits.answerTimeoutMs, () => socket.destroy());
  };
  const refuse = (why: string): void => answer(refusalOf(why));
  const onEnd = (): void => refuse("Cannot decode the request: it ends before its object does");
  const onData = (chunk: Buffer): void => {
    const length = end.feed(chunk);
    size += chunk.length;
    if (length === undefined) refuse("Cannot decode the request: expected a JSON object");
    else if (size > limits.maxRequestBytes) {
      refuse(`Cannot take the request: expected at most ${limits.maxRequestBytes} bytes`);
    } else {
      chunks.push(length < 0 ? chunk : chunk.subarray(0, length));
      if (length < 0) return;
      socket.off("data", onData);
      socket.off("end", onEnd);
      cancelTimer();
      socket.resume();
      const text = Buffer.concat(chunks).toString("utf8");
      // Whoever has gone gets no answer; the job goes on.
      const stop = execute(text, options, answer);
      socket.once("close", stop);
    }
  };
  socket.once("close", () => cancelTimer());
  if (isFull) {
    refuse(`Cannot take the request: ${limits.maxConnections} connections are open already`);
    return;
  }
  cancelTimer = clock.after(limits.requestTimeoutMs, () => {
    refuse(`Cannot take the request: not complete within ${limits.requestTimeoutMs} ms`);
  });
  socket.on("end", onEnd);
  socket.on("data", onData);
}

/** How long the other side may take to close after the answer. */
const LINGER_MS = 1000;

/** @returns Gives up the answer. */
function execute(
  text: string,
  { jobs, messages }: LocalRequestOptions,
  answer: (result: JobResult) => void,
): () => void {
  let stop = (): void => {};
  try {
    const { isSync, command } = decodeRequest(text);
    if (isSync) {
      stop = messages.listen({
        finished: (result) => {
          if (result.id !== command.id) return;
          stop();
          answer(result);
        },
      });
    }
    jobs.start(command);
    if (!isSync) answer({ ...EMPTY, id: command.id, command: command.command, state: "SUCCESS" });
  } catch (error) {
    stop();
    answer(refusalOf(errorText(error)));
  }
  return () => stop();
}

interface LocalRequest {
  readonly isSync: boolean;
  readonly command: CommandObject;
}

function decodeRequest(text: string): LocalRequest {
  let request: Record<string, unknown>;
  try {
    request = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw wrong(`it is not JSON: ${errorText(error)}`);
  }
  if (Array.isArray(request)) throw wrong("an array seen, expected an object");
  const { sync = null, container = null, content = null } = request;
  if (sync !== null && typeof sync !== "boolean") throw wrong("sync must be true or false");
  if (container !== null && typeof container !== "string")
    throw wrong("container must be a string");
  if (container !== null && container !== "") {
    const seen = JSON.stringify(container.slice(0, MAX_SHOWN));
    throw new AgentError(
      "E_LOCAL_REQUEST",
      `no container matches ${seen}: containers are not in this version`,
    );
  }
  const command = commandFrom(content);
  return { isSync: sync === true, command: { ...command, id: command.id || randomUUID() } };
}

const MAX_SHOWN = 80;

const wrong = (why: string): AgentError =>
  new AgentError("E_LOCAL_REQUEST", `Cannot decode the request: ${why}`);

const EMPTY: JobResult = {
  id: "",
  command: "",
  data: "",
  level: 0,
  state: "ERROR",
  code: 0,
  starttime: 0,
  time: 0,
  tags: null,
  container: 0,
};

/** Member order as in every result. */
function refusalOf(why: string): JobResult {
  const { id, command, data, ...rest } = EMPTY;
  return { id, command, data, streams: ["", why], ...rest };
}
