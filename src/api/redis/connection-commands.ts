import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../log/logger.ts";
import type { Bytes } from "../../resp/bytes.ts";
import { bulk, bulks, failure, OK, type Protocol, type Reply, simple } from "../../resp/encode.ts";
import { encodeValue, type ReplyValue } from "../../resp/encode-value.ts";
import { type Authenticator, MAX_DELAY_MS } from "../authenticator.ts";
import type { Counters } from "../counters.ts";
import { type RedisCommand, redisCommand } from "../redis-command.ts";
import { isListening, type Session, type Suspension } from "../session.ts";
import { NODE_USER } from "../users.ts";
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
      run: (session, words) => {
        if (words.length > 2) throw refusal("ERR wrong number of arguments for 'ping' command");
        const message = words[1];
        // A subscriber of RESP2 takes only what looks like a message.
        if (isListening(session)) return bulks(["pong", message ?? ""]);
        return message === undefined ? PONG : bulk(message);
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
      summary: "Presents the password of the node, or name and password of a user",
      group: "connection",
      run: (session, _, hidden) => {
        if (hidden.length > 2) throw syntaxError();
        const password = hidden.at(-1) as Uint8Array;
        const user = hidden.length === 2 ? (hidden[0] as Uint8Array) : null;
        return gate.enter(session, { user, password }, () => OK);
      },
    }),
    redisCommand({
      name: "hello",
      syntax: "[protover] [AUTH] [username] [password] [SETNAME] [clientname]",
      arity: -1,
      flags: ["no_auth", "fast"],
      summary: "Chooses the protocol version, and may authenticate",
      group: "connection",
      run: (session, _, hidden) => hello(gate, session, hidden),
    }),
    redisCommand({
      name: "acl",
      syntax: "WHOAMI",
      arity: -2,
      flags: ["fast"],
      summary: "The user of this connection",
      group: "connection",
      run: (session, words) => {
        if (words.length === 2 && word(words, 1).toUpperCase() === "WHOAMI") {
          return bulk(session.user?.name ?? "");
        }
        const seen = word(words, 1).slice(0, 128);
        throw refusal(`ERR unknown subcommand or wrong number of arguments for '${seen}'`);
      },
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
        session.closed();
        session.protocol = 2;
        session.name = "";
        session.user = session.peer.isLocal ? NODE_USER : null;
        return simple("RESET");
      },
    }),
    webRequest("post", options.logger),
    webRequest("host:", options.logger),
  ];
}

const PONG = simple("PONG");

interface Credentials {
  /** Null: whose password it is. */
  readonly user: Uint8Array | null;
  readonly password: Uint8Array;
}

/** The password check with its delay for failures. */
class Gate {
  readonly options: ConnectionCommandOptions;

  constructor(options: ConnectionCommandOptions) {
    this.options = options;
  }

  /** @param welcome Makes the reply once the client is let in. */
  enter(session: Session, credentials: Credentials, welcome: () => Reply): Reply | Suspension {
    const { authenticator, clock, counters, logger } = this.options;
    // Whoever reaches the unix socket is root; a client set up with a password works there too.
    if (session.peer.isLocal) return welcome();
    const { address } = session.peer;
    const lockedMs = authenticator.lockedMs(address);
    if (lockedMs > 0) {
      counters.lockedAttempts += 1;
      return (resume) => clock.after(MAX_DELAY_MS, () => resume(lockedText(lockedMs)));
    }
    const user = authenticator.find(credentials.user, credentials.password);
    if (user !== undefined) {
      authenticator.recordSuccess(address, user);
      // What another user may listen to, this one perhaps may not.
      if (session.user !== null && session.user !== user) session.closed();
      session.user = user;
      return welcome();
    }
    const { delayMs, count, isLocked } = authenticator.recordFailure(address);
    counters.authenticationFailures += 1;
    if (isLocked) counters.lockouts += 1;
    const message = isLocked
      ? "authentication failed, network locked out"
      : "authentication failed";
    logger.warn(message, { address, count, delayMs });
    return (resume) => clock.after(delayMs, () => resume(WRONG_PASSWORD));
  }
}

const lockedText = (lockedMs: number): Reply =>
  failure(
    "WRONGPASS too many wrong passwords from this network, " +
      `none is looked at for another ${Math.ceil(lockedMs / MS_PER_SECOND)} s`,
  );

const MS_PER_SECOND = 1000;
const WRONG_PASSWORD = failure("WRONGPASS invalid username-password pair or user is disabled.");

/** `HELLO [2|3 [AUTH user password] [SETNAME name]]` */
function hello(gate: Gate, session: Session, words: readonly Uint8Array[]): Reply | Suspension {
  const version = words[0] === undefined ? undefined : parseVersion(words[0]);
  const { credentials, name } = parseHello(words);
  const welcome = (): Reply => {
    if (version !== undefined) session.protocol = version;
    if (name !== undefined) session.name = name;
    return encodeValue(describe(gate.options.version, session), session.protocol);
  };
  if (credentials !== undefined) return gate.enter(session, credentials, welcome);
  if (!session.isMember) throw refusal(HELLO_NEEDS_AUTH);
  return welcome();
}

/** Looks at bytes: whoever forgot the version has a password here. */
function parseVersion(word: Uint8Array): Protocol {
  if (isText(word, "2")) return 2;
  if (isText(word, "3")) return 3;
  const digits = word[0] === MINUS ? word.subarray(1) : word;
  const isNumber = digits.length > 0 && digits.length <= 10 && digits.every(isDigit);
  if (isNumber) throw refusal("NOPROTO unsupported protocol version");
  throw refusal("ERR Protocol version is not an integer or out of range");
}

const HELLO_NEEDS_AUTH =
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> " +
  "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol " +
  "version at the same time";

interface HelloOptions {
  credentials?: Credentials;
  name?: Bytes;
}

function parseHello(words: readonly Uint8Array[]): HelloOptions {
  const options: HelloOptions = {};
  let at = 1;
  while (at < words.length) {
    const [option, first, second] = words.slice(at, at + 3) as [Uint8Array, ...Uint8Array[]];
    if (isText(option, "auth") && first !== undefined && second !== undefined) {
      options.credentials = { user: first, password: second };
      at += 3;
    } else if (isText(option, "setname") && first !== undefined) {
      options.name = checkName(latin1(first));
      at += 2;
    } else {
      // Behind AUTH it may be a piece of a password with a blank in it.
      const shown = options.credentials === undefined ? ` '${latin1(option)}'` : "";
      throw refusal(`ERR Syntax error in HELLO option${shown}`);
    }
  }
  return options;
}

const MINUS = 0x2d;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** Compares without making a string of it. @param text Lower case; the word may be in any. */
const isText = (word: Uint8Array, text: string): boolean =>
  word.length === text.length &&
  word.every((byte, at) => (isUpper(byte) ? byte | 0x20 : byte) === text.charCodeAt(at));

const isUpper = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;

const latin1 = (word: Uint8Array): Bytes => Buffer.from(word).toString("latin1");

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
