import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../log/logger.ts";
import type { Bytes } from "../../resp/bytes.ts";
import { bulk, failure, OK, type Reply, simple } from "../../resp/encode.ts";
import { encodeValue, type ReplyValue } from "../../resp/encode-value.ts";
import type { Authenticator } from "../authenticator.ts";
import type { Counters } from "../counters.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import type { Session, Suspension } from "../session.ts";
import { checkName } from "./client-commands.ts";
import { parseInteger, refusal, syntaxError, word } from "./words.ts";

export interface ConnectionCommandOptions {
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly logger: Logger;
  readonly version: string;
}

/** Commands about the connection itself. */
export function connectionCommands(options: ConnectionCommandOptions): RedisCommand[] {
  const gate = new Gate(options);
  return [
    redisCommand({
      name: "ping",
      syntax: "[message]",
      arity: -1,
      flags: ["fast"],
      summary: "Answers PONG, or the given message",
      group: "connection",
      run: (_, words) => {
        if (words.length === 1) return PONG;
        if (words.length === 2) return bulk(word(words, 1));
        throw refusal("ERR wrong number of arguments for 'ping' command");
      },
    }),
    redisCommand({
      name: "echo",
      syntax: "message",
      arity: 2,
      flags: ["fast"],
      summary: "Answers the given message",
      group: "connection",
      run: (_, words) => bulk(word(words, 1)),
    }),
    redisCommand({
      name: "auth",
      syntax: "[username] password",
      arity: -2,
      flags: ["no_auth", "fast"],
      summary: "Presents the password of the node; the user is default",
      group: "connection",
      run: (session, words) => {
        if (words.length > 3) throw syntaxError();
        const [user, password] = words.length === 3 ? words.slice(1) : ["default", words[1]];
        return gate.enter(session, user as Bytes, password as Bytes, () => OK);
      },
    }),
    redisCommand({
      name: "hello",
      syntax: "[protover] [AUTH] [username] [password] [SETNAME] [clientname]",
      arity: -1,
      flags: ["no_auth", "fast"],
      summary: "Chooses the protocol version, and may authenticate",
      group: "connection",
      run: (session, words) => hello(gate, session, words),
    }),
    redisCommand({
      name: "select",
      syntax: "index",
      arity: 2,
      flags: ["fast"],
      summary: "There is one database, 0",
      group: "connection",
      run: (_, words) => {
        if (parseInteger(word(words, 1)) !== 0) throw refusal("ERR DB index is out of range");
        return OK;
      },
    }),
    redisCommand({
      name: "quit",
      syntax: "",
      arity: -1,
      flags: ["no_auth", "fast"],
      summary: "Ends the connection",
      group: "connection",
      run: (session) => {
        session.isClosing = true;
        return OK;
      },
    }),
    redisCommand({
      name: "reset",
      syntax: "",
      arity: 1,
      flags: ["no_auth", "fast"],
      summary: "Makes the connection as it was when it was opened",
      group: "connection",
      run: (session) => {
        session.protocol = 2;
        session.name = "";
        session.isMember = session.peer.isLocal;
        return simple("RESET");
      },
    }),
    webRequest("post", options.logger),
    webRequest("host:", options.logger),
  ];
}

const PONG = simple("PONG");

/** The password check with its delay for failures. */
class Gate {
  readonly options: ConnectionCommandOptions;

  constructor(options: ConnectionCommandOptions) {
    this.options = options;
  }

  /** @param welcome Makes the reply once the client is let in. */
  enter(session: Session, user: Bytes, password: Bytes, welcome: () => Reply): Reply | Suspension {
    const { authenticator, clock, counters, logger } = this.options;
    // Whoever reaches the unix socket is root; a client set up with a password works there too.
    if (session.peer.isLocal) return welcome();
    const { address } = session.peer;
    if (authenticator.accepts(user, Buffer.from(password, "latin1"))) {
      authenticator.recordSuccess(address);
      session.isMember = true;
      return welcome();
    }
    const { delayMs, count } = authenticator.recordFailure(address);
    counters.authenticationFailures += 1;
    logger.warn("authentication failed", { address, count, delayMs });
    return (resume) => clock.after(delayMs, () => resume(WRONG_PASSWORD));
  }
}

const WRONG_PASSWORD = failure("WRONGPASS invalid username-password pair or user is disabled.");

/** `HELLO [2|3 [AUTH user password] [SETNAME name]]` */
function hello(gate: Gate, session: Session, words: readonly Bytes[]): Reply | Suspension {
  const version = words[1];
  if (version !== undefined && !/^-?\d{1,10}$/.test(version)) {
    throw refusal("ERR Protocol version is not an integer or out of range");
  }
  if (version !== undefined && version !== "2" && version !== "3") {
    throw refusal("NOPROTO unsupported protocol version");
  }
  const { credentials, name } = parseHello(words);
  const welcome = (): Reply => {
    if (version !== undefined) session.protocol = version === "3" ? 3 : 2;
    if (name !== undefined) session.name = name;
    return encodeValue(describe(gate.options.version, session), session.protocol);
  };
  if (credentials !== undefined) {
    return gate.enter(session, credentials.user, credentials.password, welcome);
  }
  if (!session.isMember) throw refusal(HELLO_NEEDS_AUTH);
  return welcome();
}

const HELLO_NEEDS_AUTH =
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> " +
  "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol " +
  "version at the same time";

interface HelloOptions {
  credentials?: { user: Bytes; password: Bytes };
  name?: Bytes;
}

function parseHello(words: readonly Bytes[]): HelloOptions {
  const options: HelloOptions = {};
  let at = 2;
  while (at < words.length) {
    const option = word(words, at).toUpperCase();
    const left = words.length - at - 1;
    if (option === "AUTH" && left >= 2) {
      options.credentials = { user: word(words, at + 1), password: word(words, at + 2) };
      at += 3;
    } else if (option === "SETNAME" && left >= 1) {
      options.name = checkName(word(words, at + 1));
      at += 2;
    } else {
      throw refusal(`ERR Syntax error in HELLO option '${word(words, at)}'`);
    }
  }
  return options;
}

function describe(version: string, session: Session): ReplyValue {
  return new Map<string, ReplyValue>([
    ["server", "node0"],
    ["version", version],
    ["proto", session.protocol],
    ["id", session.id],
    ["mode", "standalone"],
    ["role", "master"],
    ["modules", []],
  ]);
}

/** A web page can make a browser send these; nothing of such a request may be executed. */
function webRequest(name: string, logger: Logger): RedisCommand {
  return redisCommand({
    name,
    syntax: "",
    arity: -1,
    flags: ["no_auth"],
    summary: "Ends the connection: this is not a web server",
    group: "connection",
    run: (session) => {
      logger.warn("web request refused", { address: session.peer.address });
      session.isClosing = true;
      return "";
    },
  });
}
