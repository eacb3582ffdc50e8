import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import type { HeartbeatRequest } from "../../src/vault/controller-api.ts";
import { type Fleet, type FleetMachine, unlockBody } from "./controller-fleet.ts";

/** A request without an answer by then has failed. */
const ANSWER_LIMIT_MS = 20_000;

export interface LoadOptions {
  readonly fleet: Fleet;
  /** On the loopback. */
  readonly port: number;
  readonly seconds: number;
  readonly beatsPerSecond: number;
  readonly unlocksPerSecond: number;
}

export interface LoadResult {
  /** Milliseconds from the moment a request was due to its last byte, sorted. */
  readonly beats: readonly number[];
  readonly unlocks: readonly number[];
  readonly fullHandshakes: number;
  readonly resumedHandshakes: number;
  /** What went wrong, each once. */
  readonly failures: ReadonlyMap<string, number>;
}

/**
 * Machines as a server sees them: a connection for each request, as `src/vault/controller-request.ts`
 * makes them. A machine shows its certificate the first time and once an hour, and takes up its TLS
 * session in between. Keys are asked for by machines that start, so without a session.
 *
 * Latency counts from the moment a request was due: a server that stalls does not slow down its load.
 */
export class MachineLoad {
  readonly #fleet: Fleet;
  readonly #plain: SecureContext;
  readonly #sessions = new Map<FleetMachine, Buffer>();
  readonly #isAlwaysFull: boolean;
  #beatNumber = 0;
  #unlockNumber = 0;

  constructor(fleet: Fleet, options: { readonly isAlwaysFull: boolean }) {
    this.#fleet = fleet;
    this.#isAlwaysFull = options.isAlwaysFull;
    this.#plain = createSecureContext({ ca: fleet.ca });
  }

  async run(options: Omit<LoadOptions, "fleet">): Promise<LoadResult> {
    const { port, seconds, beatsPerSecond, unlocksPerSecond } = options;
    const result = {
      beats: [] as number[],
      unlocks: [] as number[],
      fullHandshakes: 0,
      resumedHandshakes: 0,
      failures: new Map<string, number>(),
    };
    const open = new Set<Promise<void>>();
    const start = (dueMs: number, isBeat: boolean): void => {
      const asked = isBeat ? this.#beat(port) : this.#unlock(port);
      const work = asked.then(
        (isResumed) => {
          (isBeat ? result.beats : result.unlocks).push(performance.now() - dueMs);
          if (isResumed) result.resumedHandshakes += 1;
          else result.fullHandshakes += 1;
        },
        (error: Error) => {
          result.failures.set(error.message, (result.failures.get(error.message) ?? 0) + 1);
        },
      );
      open.add(work);
      void work.finally(() => open.delete(work));
    };
    const beats = everySecond(beatsPerSecond, (dueMs) => start(dueMs, true));
    const unlocks = everySecond(unlocksPerSecond, (dueMs) => start(dueMs, false));
    await forSeconds(seconds, (nowMs) => {
      beats(nowMs);
      unlocks(nowMs);
    });
    await Promise.all(open);
    result.beats.sort((a, b) => a - b);
    result.unlocks.sort((a, b) => a - b);
    return result;
  }

  /** @returns Whether the session was taken up again. */
  async #beat(port: number): Promise<boolean> {
    const number = this.#beatNumber;
    this.#beatNumber += 1;
    const { machines, ca, key } = this.#fleet;
    const machine = machines[number % machines.length] as FleetMachine;
    const isHourly = (number + Math.floor(number / machines.length)) % BEATS_AN_HOUR === 0;
    const session = isHourly || this.#isAlwaysFull ? undefined : this.#sessions.get(machine);
    const socket = connect({
      ...{ host: "127.0.0.1", port, localAddress: machine.address },
      ...(session === undefined
        ? { secureContext: createSecureContext({ ca, cert: machine.certificate, key }) }
        : { secureContext: this.#plain, session }),
    });
    if (!this.#isAlwaysFull) {
      socket.on("session", (next: Buffer) => this.#sessions.set(machine, next));
    }
    return await ask(socket, "/v1/heartbeat", JSON.stringify(beatBody(machine, number)));
  }

  async #unlock(port: number): Promise<boolean> {
    const { machines } = this.#fleet;
    // Far from the machines whose heartbeat is due.
    const machine = machines[(this.#unlockNumber * 7919) % machines.length] as FleetMachine;
    this.#unlockNumber += 1;
    const socket = connect({
      ...{ host: "127.0.0.1", port, localAddress: machine.address, secureContext: this.#plain },
    });
    return await ask(socket, "/v1/unlock", JSON.stringify(unlockBody(machine.mac)));
  }
}

const BEATS_AN_HOUR = 120;

/** @returns To be called with the time: starts what is due by then. */
function everySecond(rate: number, start: (dueMs: number) => void): (nowMs: number) => void {
  const beginMs = performance.now();
  let count = 0;
  return (nowMs) => {
    for (;;) {
      const dueMs = beginMs + (count * 1000) / rate;
      if (dueMs > nowMs) return;
      count += 1;
      start(dueMs);
    }
  };
}

async function forSeconds(seconds: number, step: (nowMs: number) => void): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    step(Math.min(nowMs, endMs));
    if (nowMs < endMs) return;
    clearInterval(timer);
    resolve();
  }, 1);
  await promise;
}

/** Sends one request and waits for its whole answer, which has to be a 200. */
async function ask(socket: TLSSocket, path: string, body: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  let text = "";
  let isResumed = false;
  socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy(new Error("no answer")));
  socket.on("error", (error) => reject(new Error(error.message)));
  socket.on("close", () => reject(new Error("closed without an answer")));
  socket.once("secureConnect", () => {
    isResumed = socket.isSessionReused();
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\nconnection: close\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    if (text.length < end + 4 + length) return;
    if (text.startsWith("HTTP/1.1 200 ")) resolve(isResumed);
    else reject(new Error(text.slice(0, text.indexOf("\r\n"))));
    socket.end();
  });
  return await promise;
}

/** A heartbeat as long as that of a machine that has booted. */
function beatBody({ address }: FleetMachine, number: number): HeartbeatRequest {
  return {
    version: "0.1.0",
    hostname: `node-${address}`,
    uptimeS: number,
    addresses: [`eth0 ${address}/8`, "eth0 fe80::5054:ff:fe12:3456/64", "zt0 10.147.17.5/24"],
    phases: PHASES.map((phase, place) => ({
      phase,
      state: "done",
      startMs: 1000 * place,
      endMs: 1000 * place + 900,
      attempts: 1,
      reason: "",
    })),
  };
}

const PHASES = [
  "system",
  "network",
  "overlay",
  "firewall",
  "unlock",
  "controller-tls",
  "ssh",
  "api",
];
