import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { carriesPassword } from "../../src/api/authenticator.ts";
import { Dispatcher } from "../../src/api/dispatcher.ts";
import { DEFAULT_ENDPOINT_LIMITS } from "../../src/api/endpoint-limits.ts";
import { loadCommands } from "../../src/api/load-commands.ts";
import type { Session } from "../../src/api/session.ts";
import { NODE_USER, type SessionUser } from "../../src/api/users.ts";
import { AgentError } from "../../src/base/errors.ts";
import { wipe } from "../../src/base/secret-bytes.ts";
import { RequestParser } from "../../src/resp/request-parser.ts";
import { isLong } from "../support/long.ts";
import { openEndpointCore } from "../unit/api/harness.ts";
import { CORPUS, PASSWORD_CORPUS } from "./corpus.ts";
import { mutate, pick, type Random, seeded } from "./mutate.ts";

const FRAMES = isLong ? 1_000_000 : 200_000;
/** Then all is removed, and what is left is measured. */
const ROUND_FRAMES = 20_000;
const WARM_UP_ROUNDS = 4;
const ALLOWANCE_BYTES = 8 * 1024 * 1024;
const TIME_LIMIT_MS = isLong ? 900_000 : 240_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const USERS: readonly (SessionUser | null)[] = [
  null,
  NODE_USER,
  { name: "reader", role: "reader", allow: null },
  { name: "operator", role: "operator", allow: ["core.*", "info.*"] },
];

/** One client: what it sends goes through parser and dispatcher as that of a connection does. */
class Client {
  readonly session: Session;
  readonly #dispatcher: Dispatcher;
  readonly #parser = new RequestParser(DEFAULT_ENDPOINT_LIMITS.guestRequests, carriesPassword);
  #stop: () => void = () => {};

  constructor(session: Session, dispatcher: Dispatcher) {
    this.session = session;
    this.#dispatcher = dispatcher;
  }

  /** @returns Whether the connection would still be open. */
  send(bytes: string): boolean {
    const { session } = this;
    const { guestRequests, memberRequests } = DEFAULT_ENDPOINT_LIMITS;
    try {
      this.#parser.feed(Buffer.from(bytes, "latin1"));
      for (;;) {
        this.#parser.limits = session.isMember ? memberRequests : guestRequests;
        const words = this.#parser.next();
        if (words === undefined) return !session.isClosing;
        const reply = this.#dispatcher.execute(session, words, this.#parser.hidden);
        wipe(this.#parser.hidden);
        if (typeof reply !== "string") {
          this.#stop();
          this.#stop = reply(() => {});
        }
      }
    } catch (error) {
      if (error instanceof AgentError && error.code === "E_RESP_PROTOCOL") return false;
      throw error;
    }
  }

  close(): void {
    this.#stop();
    this.#parser.discard();
    this.session.closed();
  }
}

test(
  "broken requests of every role are answered, and nothing of them stays in memory",
  async () => {
    const core = openEndpointCore({ commands: await loadCommands() });
    const { clock, keyspace, counters, engine, logger, rules, table } = core;
    const { store } = keyspace;
    const dispatcher = new Dispatcher({ table, store, rules, counters, logger });
    const random = seeded(Number(process.env["NODE0_FUZZ_SEED"] ?? 20_260));
    const startMs = performance.now();
    const heaps: number[] = [];
    for (let sent = 0; sent < FRAMES; sent += ROUND_FRAMES) {
      sendRound(random, (user) => {
        // Those before it are gone.
        core.sessions.length = 1;
        const session = core.openSession(false);
        session.user = user;
        return new Client(session, dispatcher);
      });
      // Answers of jobs come in turns of their own.
      await new Promise((resolve) => setImmediate(resolve));
      engine.finishLater();
      engine.submitted.length = 0;
      // Whatever expires does, and networks that guessed are forgotten.
      clock.advance(700_000);
      for (const entry of [...store.entries()]) store.remove(entry);
      logger.lines.length = 0;
      collect();
      heaps.push(process.memoryUsage().heapUsed);
      expect(performance.now() - startMs).toBeLessThan(TIME_LIMIT_MS);
    }
    const [settled = 0] = heaps.slice(WARM_UP_ROUNDS);
    const growth = Math.max(...heaps.slice(-WARM_UP_ROUNDS)) - settled;
    console.log(
      `${FRAMES} frames in ${Math.round((performance.now() - startMs) / 1000)} s, ` +
        `${counters.commands} commands, heap ${settled} bytes and ${growth} more at the end`,
    );
    expect(growth).toBeLessThan(ALLOWANCE_BYTES);
    expect(store.size).toBe(0);
    expect(keyspace.blocking.waiterCount).toBe(0);
    expect(core.send("PING")).toBe("+PONG\r\n");
    // Otherwise the mutations would be too mild or too wild to test anything.
    expect(counters.commands).toBeGreaterThan(FRAMES / 10);
    expect(counters.permissionsDenied).toBeGreaterThan(FRAMES / 100);
    expect(counters.authenticationFailures).toBeGreaterThan(100);
  },
  TIME_LIMIT_MS + 30_000,
);

/** Each request comes from a guest and from a user of each role. */
function sendRound(random: Random, open: (user: SessionUser | null) => Client): void {
  const clients = USERS.map(open);
  for (let count = 0; count < ROUND_FRAMES; count += USERS.length) {
    const isPassword = random(200) === 0;
    const frame = pick(random, isPassword ? PASSWORD_CORPUS : CORPUS);
    const bytes = random(4) === 0 ? frame : mutate(random, frame, CORPUS);
    // Some connections hold a few requests, broken and whole.
    const isLast = random(3) === 0;
    for (const [at, user] of USERS.entries()) {
      if (clients[at]?.send(bytes) === true && !isLast) continue;
      clients[at]?.close();
      clients[at] = open(user);
    }
  }
  for (const client of clients) client.close();
}
