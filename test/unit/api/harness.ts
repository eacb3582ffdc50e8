import { AccessRules } from "../../../src/api/access-rules.ts";
import { Authenticator, carriesPassword } from "../../../src/api/authenticator.ts";
import { buildCommandTable } from "../../../src/api/build-command-table.ts";
import { Counters } from "../../../src/api/counters.ts";
import { Dispatcher } from "../../../src/api/dispatcher.ts";
import { DEFAULT_ENDPOINT_LIMITS } from "../../../src/api/endpoint-limits.ts";
import { connectJobQueue } from "../../../src/api/job-queue.ts";
import { KeyspaceJobSink } from "../../../src/api/job-sink.ts";
import { CommandRegistry } from "../../../src/api/registry.ts";
import { builtin, type NodeCommand, program } from "../../../src/api/services.ts";
import { Session } from "../../../src/api/session.ts";
import { NODE_USER } from "../../../src/api/users.ts";
import { array, integer, object, string } from "../../../src/base/schema.ts";
import { wipe } from "../../../src/base/secret-bytes.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { MEMBER_LIMITS } from "../../../src/resp/request-limits.ts";
import { RequestParser } from "../../../src/resp/request-parser.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeEngine } from "../../fakes/fake-engine.ts";
import { QuietLog } from "../../fakes/quiet-log.ts";

export const PASSWORD = "correct horse";

export const PING_COMMAND = builtin({
  name: "core.ping",
  summary: "Answers PONG",
  scope: "both",
  access: "read",
  result: "string",
  run: () => "PONG",
});

export const SYSTEM_COMMAND = program({
  name: "core.system",
  summary: "Runs a program",
  scope: "both",
  access: "read",
  result: "output",
  args: object(
    {
      name: string({ description: "program" }),
      args: array(string()),
      limit: integer(),
    },
    ["name"],
  ),
  build: ({ name, args }) => ({
    name,
    args: args ?? [],
    dir: "",
    env: {},
    stdin: "",
    showPid: true,
  }),
});

const formatRequest = (words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

/** The dispatcher with everything behind it, without sockets. */
export function openEndpointCore(
  options: { maxBytes?: number; password?: string | null; commands?: readonly NodeCommand[] } = {},
) {
  const clock = new FakeClock();
  const logger = new QuietLog();
  const counters = new Counters();
  const { maxBytes } = options;
  const keyspace = new Keyspace({ clock, ...(maxBytes === undefined ? {} : { maxBytes }) });
  const sink = new KeyspaceJobSink(keyspace);
  const engine = new FakeEngine(sink);
  const password = options.password === undefined ? PASSWORD : options.password;
  const sessions: Session[] = [];
  const registry = new CommandRegistry(options.commands ?? [PING_COMMAND, SYSTEM_COMMAND]);
  const { store } = keyspace;
  const rules = new AccessRules({ registry, store, clock, counters });
  const given = password === null ? null : Buffer.from(password);
  const authenticator = new Authenticator(given, clock, { failures: 20, timeMs: 60_000 });
  const table = buildCommandTable({
    keyspace,
    intake: engine,
    registry,
    authenticator,
    rules,
    counters,
    clock,
    logger,
    limits: DEFAULT_ENDPOINT_LIMITS,
    version: "0.1.0",
    sessions: () => sessions,
    port: () => 6379,
  });
  connectJobQueue(keyspace, engine);
  const dispatcher = new Dispatcher({ table, store, rules, counters, logger });

  const openSession = (isMember = true, address = "192.0.2.1"): Session => {
    const remote = `${address}:4000`;
    const peer = { address, remote, local: "192.0.2.9:6379", isLocal: false };
    const session = new Session(sessions.length + 1, peer, clock.monotonicMs());
    session.user = isMember ? NODE_USER : null;
    sessions.push(session);
    return session;
  };

  /** Runs a request. @returns The reply, or null while it waits; `late` then gets it. */
  const start = (session: Session, words: readonly string[]) => {
    const state: { reply: string | null; cancel: () => void } = { reply: null, cancel: () => {} };
    const parser = new RequestParser(MEMBER_LIMITS, carriesPassword);
    parser.feed(Buffer.from(formatRequest(words)));
    const parsed = parser.next() ?? [];
    const reply = dispatcher.execute(session, parsed, parser.hidden);
    wipe(parser.hidden);
    if (typeof reply === "string") state.reply = reply;
    else {
      state.cancel = reply((late) => {
        state.reply = late;
      });
    }
    return state;
  };

  const member = openSession();
  /** Runs a request that must answer at once, on a connection that may do everything. */
  const send = (...words: string[]): string => {
    const { reply } = start(member, words);
    if (reply === null) throw new Error(`${words.join(" ")} waits`);
    return reply;
  };
  return {
    clock,
    logger,
    counters,
    keyspace,
    sink,
    engine,
    table,
    rules,
    authenticator,
    registry,
    member,
    sessions,
    openSession,
    start,
    send,
  };
}
