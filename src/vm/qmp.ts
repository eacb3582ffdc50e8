import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { AgentError } from "../base/errors.ts";

/** A conversation with one QEMU over its machine protocol. */
export interface Qmp extends AsyncDisposable {
  /**
   * Runs one command and resolves with its `return` value.
   *
   * @throws AgentError `E_QMP_COMMAND` with the description of QEMU, `E_QMP_CLOSED` when QEMU went away.
   */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  close(): Promise<void>;
}

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AgentError) => void;
}

interface QmpMessage {
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

/**
 * Opens the QMP socket of a QEMU and leaves negotiation mode.
 *
 * @throws the error of the socket (`ENOENT`, `ECONNREFUSED`) while QEMU is not there yet.
 * Source: QEMU Machine Protocol Specification, sections 2.2 to 2.4.
 */
export async function openQmp(path: string): Promise<Qmp> {
  const socket = await connectTo(path);
  const client = new QmpClient(socket);
  await client.execute("qmp_capabilities");
  return client;
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

class QmpClient implements Qmp {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket }).on("line", (line) => this.#take(line));
    // The close event follows every error and settles what waits.
    socket.on("error", () => undefined);
    socket.once("close", () => this.#abandon());
  }

  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(closed(command));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { command, resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) resolve();
      else this.#socket.once("close", () => resolve());
      this.#socket.destroy();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The greeting and events carry no id and are not waited for. */
  #take(line: string): void {
    const message = JSON.parse(line) as QmpMessage;
    const pending = this.#pending.get(message.id ?? 0);
    if (message.id === undefined || pending === undefined) return;
    this.#pending.delete(message.id);
    if (message.error === undefined) pending.resolve(message.return);
    else {
      const text = `Cannot run ${pending.command}: ${message.error.desc}`;
      pending.reject(
        new AgentError("E_QMP_COMMAND", text, { fields: { class: message.error.class } }),
      );
    }
  }

  #abandon(): void {
    this.#isClosed = true;
    for (const { command, reject } of this.#pending.values()) reject(closed(command));
    this.#pending.clear();
  }
}

function closed(command: string): AgentError {
  return new AgentError("E_QMP_CLOSED", `Cannot run ${command}: QEMU closed the connection`);
}
