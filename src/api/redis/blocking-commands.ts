import { AgentError } from "../../base/errors.ts";
import type { WaitOptions, WaitOutcome } from "../../keyspace/blocking.ts";
import type { Keyspace } from "../../keyspace/keyspace.ts";
import type { Move, Side } from "../../keyspace/lists.ts";
import { bulk, bulks, failure, nilArray, type Reply } from "../../resp/encode.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import type { Session, Suspension } from "../session.ts";
import { parseSide } from "./list-commands.ts";
import { parseTimeoutMs, word } from "./words.ts";

/** Commands that wait for an element when there is none. */
export function blockingCommands(keyspace: Keyspace): RedisCommand[] {
  return [
    popCommand(keyspace, "blpop", "left"),
    popCommand(keyspace, "brpop", "right"),
    redisCommand({
      name: "brpoplpush",
      syntax: "source destination timeout",
      arity: 4,
      flags: ["write", "denyoom", "blocking"],
      keys: [1, 2, 1],
      summary: "Moves the last element to the front of another list, waiting for one",
      group: "list",
      run: (session, words) => {
        const timeoutMs = parseTimeoutMs(word(words, 3));
        const [source, destination] = [word(words, 1), word(words, 2)];
        return move(
          keyspace,
          session,
          { source, from: "right", destination, to: "left" },
          timeoutMs,
        );
      },
    }),
    redisCommand({
      name: "blmove",
      syntax: "source destination LEFT|RIGHT LEFT|RIGHT timeout",
      arity: 6,
      flags: ["write", "denyoom", "blocking"],
      keys: [1, 2, 1],
      summary: "Moves an element between ends of lists, waiting for one",
      group: "list",
      run: (session, words) => {
        const [from, to] = [parseSide(word(words, 3)), parseSide(word(words, 4))];
        const timeoutMs = parseTimeoutMs(word(words, 5));
        const [source, destination] = [word(words, 1), word(words, 2)];
        return move(keyspace, session, { source, from, destination, to }, timeoutMs);
      },
    }),
  ];
}

function move(
  keyspace: Keyspace,
  session: Session,
  wanted: Move,
  timeoutMs: number,
): Reply | Suspension {
  const value = keyspace.lists.move(wanted);
  if (value !== undefined) return bulk(value);
  const { source, from, destination, to } = wanted;
  const wait = { keys: [source], from, destination: { key: destination, to }, timeoutMs };
  return suspend(keyspace, session, wait, (outcome) => bulk(outcome.value));
}

function popCommand(keyspace: Keyspace, name: string, side: Side): RedisCommand {
  return redisCommand({
    name,
    syntax: "key... timeout",
    arity: -3,
    flags: ["write", "blocking"],
    keys: [1, -2, 1],
    summary: `Takes the ${side === "left" ? "first" : "last"} element of the first list that has one, waiting for it`,
    group: "list",
    run: (session, words) => {
      const timeoutMs = parseTimeoutMs(word(words, words.length - 1));
      const keys = words.slice(1, -1);
      for (const key of keys) {
        const value = keyspace.lists.pop(key, side);
        if (value !== undefined) return bulks([key, value]);
      }
      return suspend(keyspace, session, { keys, from: side, timeoutMs }, (outcome) =>
        bulks([outcome.key, outcome.value]),
      );
    },
  });
}

type Found = Exclude<WaitOutcome, AgentError | undefined>;

function suspend(
  keyspace: Keyspace,
  session: Session,
  wait: Omit<WaitOptions, "done">,
  encodeFound: (found: Found) => Reply,
): Suspension {
  return (resume) =>
    keyspace.blocking.wait({
      ...wait,
      done: (outcome) => {
        if (outcome === undefined) resume(nilArray(session.protocol));
        else if (outcome instanceof AgentError) resume(failure(outcome.message));
        else resume(encodeFound(outcome));
      },
    });
}
