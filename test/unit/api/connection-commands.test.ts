import { describe, expect, test } from "vitest";
import { readReplies } from "../../fakes/reply-reader.ts";
import { openEndpointCore, PASSWORD } from "./harness.ts";

const NO_AUTH = "-NOAUTH Authentication required.\r\n";
const WRONG_PASSWORD = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

describe("before authentication", () => {
  test("nothing but AUTH, HELLO, QUIT and RESET is looked at", () => {
    const { start, openSession } = openEndpointCore();
    const guest = openSession(false);
    for (const request of [
      "PING",
      "core.ping",
      "no.such",
      "INFO",
      "CLIENT ID",
      "RPUSH core:default x",
    ]) {
      expect(start(guest, request.split(" ")).reply).toBe(NO_AUTH);
    }
    expect(start(guest, ["RESET"]).reply).toBe("+RESET\r\n");
    expect(start(guest, ["QUIT"]).reply).toBe("+OK\r\n");
    expect(guest.isClosing).toBe(true);
  });

  test.each([
    [["AUTH", PASSWORD]],
    [["AUTH", "default", PASSWORD]],
    [["HELLO", "2", "AUTH", "default", PASSWORD]],
    [["HELLO", "3", "AUTH", "default", PASSWORD, "SETNAME", "me"]],
  ])("%j lets in", (words) => {
    const { start, openSession } = openEndpointCore();
    const guest = openSession(false);
    expect(start(guest, words).reply).toMatch(/^[+*%]/);
    expect(start(guest, ["PING"]).reply).toBe("+PONG\r\n");
  });

  test.each([
    [["AUTH", "wrong"]],
    [["AUTH", ""]],
    [["AUTH", "other", PASSWORD]],
    [["HELLO", "3", "AUTH", "default", "wrong"]],
  ])("%j is refused after a delay; the connection stays", (words) => {
    const { start, openSession, clock, counters } = openEndpointCore();
    const guest = openSession(false);
    const attempt = start(guest, words);
    expect(attempt.reply).toBeNull();
    clock.advance(100);
    expect(attempt.reply).toBe(WRONG_PASSWORD);
    expect(guest.protocol).toBe(2);
    expect(guest.isClosing).toBe(false);
    expect(counters.authenticationFailures).toBe(1);
    expect(start(guest, ["AUTH", PASSWORD]).reply).toBe("+OK\r\n");
  });

  test("no password lets in where none is set", () => {
    const { start, openSession, clock } = openEndpointCore({ password: null });
    const attempt = start(openSession(false), ["AUTH", "anything"]);
    clock.advance(100);
    expect(attempt.reply).toBe(WRONG_PASSWORD);
  });

  test("HELLO without credentials says what is missing", () => {
    const { start, openSession } = openEndpointCore();
    expect(start(openSession(false), ["HELLO", "3"]).reply).toMatch(
      /^-NOAUTH HELLO must be called/,
    );
  });

  test.each([
    [["AUTH", "default", "a", "secret"]],
    [["HELLO", "secret"]],
    [["HELLO", "3", "AUTH", "default", "a", "secret"]],
  ])("%j shows none of its words in the answer", (words) => {
    const { start, openSession, logger } = openEndpointCore();
    const { reply } = start(openSession(false), words);
    expect(reply).toMatch(/^-ERR /);
    expect(`${reply}${JSON.stringify(logger.lines)}`).not.toContain("secret");
  });

  test("the password is never logged", () => {
    const { start, openSession, logger } = openEndpointCore();
    start(openSession(false), ["AUTH", "sesame-wrong"]);
    expect(JSON.stringify(logger.lines)).not.toContain("sesame");
    expect(logger.lines).toEqual([
      ["warn", "authentication failed", { address: "192.0.2.1", count: 1, delayMs: 100 }],
    ]);
  });
});

test("failures are delayed ever longer, for each address of its own", () => {
  const { start, openSession, clock } = openEndpointCore();
  for (const delayMs of [100, 200, 400]) {
    const attempt = start(openSession(false), ["AUTH", "wrong"]);
    clock.advance(delayMs - 1);
    expect(attempt.reply).toBeNull();
    clock.advance(1);
    expect(attempt.reply).toBe(WRONG_PASSWORD);
  }
  const other = start(openSession(false, "192.0.2.2"), ["AUTH", "wrong"]);
  clock.advance(100);
  expect(other.reply).toBe(WRONG_PASSWORD);
});

describe("HELLO", () => {
  test("3 answers with a map and switches to RESP3", () => {
    const { send, member } = openEndpointCore();
    expect(send("HELLO", "3")).toMatch(/^%7\r\n\$6\r\nserver\r\n\$5\r\nnode0\r\n/);
    expect(send("HELLO")).toContain("$5\r\nproto\r\n:3\r\n");
    expect(member.protocol).toBe(3);
    expect(send("GET", "none")).toBe("_\r\n");
  });

  test("2 answers with a flat array and switches back", () => {
    const { send } = openEndpointCore();
    send("HELLO", "3");
    const [reply] = readReplies(send("HELLO", "2"));
    expect(reply).toEqual(expect.arrayContaining(["proto", 2, "role", "master"]));
    expect(send("GET", "none")).toBe("$-1\r\n");
  });

  test.each([
    [["HELLO", "4"], "-NOPROTO unsupported protocol version\r\n"],
    [["HELLO", "x"], "-ERR Protocol version is not an integer or out of range\r\n"],
    [["HELLO", "3", "AUTH", "default"], "-ERR Syntax error in HELLO option 'AUTH'\r\n"],
    [["HELLO", "3", "OTHER"], "-ERR Syntax error in HELLO option 'OTHER'\r\n"],
  ])("%j is refused and changes nothing", (words, reply) => {
    const { send, member } = openEndpointCore();
    expect(send(...words)).toBe(reply);
    expect(member.protocol).toBe(2);
  });
});

test("PING, ECHO, SELECT, RESET", () => {
  const { send, member } = openEndpointCore();
  expect(send("ping")).toBe("+PONG\r\n");
  expect(send("Ping", "hé")).toBe("$3\r\nh\xc3\xa9\r\n");
  expect(send("PING", "a", "b")).toMatch(/^-ERR wrong number of arguments for 'ping' command/);
  expect(send("ECHO", "a")).toBe("$1\r\na\r\n");
  expect(send("SELECT", "0")).toBe("+OK\r\n");
  expect(send("SELECT", "1")).toBe("-ERR DB index is out of range\r\n");
  expect(send("RESET")).toBe("+RESET\r\n");
  expect(member.isMember).toBe(false);
});

test.each(["POST", "post", "Host:"])("%s ends the connection without an answer", (word) => {
  const { start, openSession } = openEndpointCore();
  for (const session of [openSession(false), openSession(true)]) {
    expect(start(session, [word, "/", "HTTP/1.1"]).reply).toBe("");
    expect(session.isClosing).toBe(true);
  }
});

describe("CLIENT", () => {
  test("knows itself and its name", () => {
    const { send } = openEndpointCore();
    expect(send("CLIENT", "ID")).toBe(":1\r\n");
    expect(send("CLIENT", "GETNAME")).toBe("$-1\r\n");
    expect(send("CLIENT", "SETNAME", "me")).toBe("+OK\r\n");
    expect(send("CLIENT", "GETNAME")).toBe("$2\r\nme\r\n");
    expect(send("CLIENT", "SETNAME", "a b")).toMatch(/^-ERR Client names cannot contain spaces/);
    expect(send("CLIENT", "SETINFO", "LIB-NAME", "redis-py")).toBe("+OK\r\n");
    expect(send("CLIENT", "SETINFO", "LIB-VER", "8.1.0")).toBe("+OK\r\n");
    expect(send("CLIENT", "SETINFO", "OTHER", "x")).toMatch(/^-ERR Unrecognized option/);
    expect(send("CLIENT", "NO-EVICT", "ON")).toBe("+OK\r\n");
    expect(send("CLIENT", "INFO")).toMatch(
      /id=1 addr=192.0.2.1:4000 .*name=me .*lib-name=redis-py/,
    );
  });

  test("INFO shows that a connection is subscribed", () => {
    const { send, member } = openEndpointCore();
    member.protocol = 3;
    send("SUBSCRIBE", "log", "boot");
    expect(send("CLIENT", "INFO")).toMatch(/ flags=P db=0 sub=2 omem=0 /);
  });

  test("LIST shows every connection", () => {
    const { send, openSession } = openEndpointCore();
    openSession(false).isBlocked = true;
    const [text] = readReplies(send("CLIENT", "LIST"));
    const lines = String(text).trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/^id=2 .*flags=b .*user= /);
  });

  test("MAINT_NOTIFICATIONS and other unknown words are errors, not ends", () => {
    const { send, member } = openEndpointCore();
    expect(send("CLIENT", "MAINT_NOTIFICATIONS", "ON")).toBe(
      "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'\r\n",
    );
    expect(send("CLIENT", "SETNAME")).toMatch(/^-ERR wrong number of arguments/);
    expect(member.isClosing).toBe(false);
  });
});

describe("COMMAND", () => {
  test("COUNT, LIST and INFO agree", () => {
    const { send, table } = openEndpointCore();
    const count = table.list().length;
    expect(send("COMMAND", "COUNT")).toBe(`:${count}\r\n`);
    const [list] = readReplies(send("COMMAND", "LIST"));
    expect(list).toHaveLength(count);
    expect(list).toEqual(expect.arrayContaining(["rpush", "core.system"]));
    const [infos] = readReplies(send("COMMAND"));
    expect(infos).toHaveLength(count);
    const [[get, none]] = readReplies(send("COMMAND", "INFO", "GET", "none")) as [unknown[]];
    expect(get).toEqual(["get", 2, ["readonly", "fast"], 1, 1, 1, [], [], [], []]);
    expect(none).toBeNull();
  });

  test("DOCS describes the arguments of a job from its schema", () => {
    const { send } = openEndpointCore();
    const [[name, docs]] = readReplies(send("COMMAND", "DOCS", "core.system")) as [unknown[]];
    expect(name).toBe("core.system");
    expect(docs).toEqual([
      "summary",
      "Runs a program",
      "since",
      "0.1.0",
      "group",
      "job",
      "arguments",
      [
        [
          "name",
          "arguments",
          "display_text",
          '{"name": string, "args": [string], "limit": integer}',
          "type",
          "string",
          "flags",
          ["optional"],
          "arguments",
          [
            ["name", "name", "display_text", "name", "type", "string", "summary", "program"],
            ["name", "args", "display_text", "args", "type", "string", "flags", ["optional"]],
            ["name", "limit", "display_text", "limit", "type", "integer", "flags", ["optional"]],
          ],
        ],
        ["name", "options", "display_text", "options", "type", "string", "flags", ["optional"]],
      ],
    ]);
  });

  test("DOCS of an unknown name is empty", () => {
    const { send } = openEndpointCore();
    expect(send("COMMAND", "DOCS", "none")).toBe("*0\r\n");
  });
});

describe("INFO and CONFIG", () => {
  test("show figures in sections", () => {
    const { send } = openEndpointCore();
    send("SET", "k", "v", "EX", "10");
    const [all] = readReplies(send("INFO"));
    for (const line of [
      "# Server",
      "redis_version:7.0.15",
      "loading:0",
      "role:master",
      "tcp_port:6379",
    ]) {
      expect(String(all)).toContain(`${line}\r\n`);
    }
    expect(String(all)).toContain("db0:keys=1,expires=1,avg_ttl=0");
    const [memory] = readReplies(send("INFO", "memory"));
    expect(memory).toMatch(/^# Memory\r\nused_memory:\d+\r\n/);
    expect(memory).not.toContain("# Server");
  });

  test("CONFIG GET matches patterns, setting is refused", () => {
    const { send } = openEndpointCore();
    expect(readReplies(send("CONFIG", "GET", "save", "append*"))).toEqual([
      ["appendonly", "no", "save", ""],
    ]);
    expect(send("CONFIG", "SET", "save", "1")).toMatch(/^-ERR unknown subcommand/);
  });
});

describe("requests that fit no command", () => {
  test("unknown names are told in the words of Redis", () => {
    const { send } = openEndpointCore();
    expect(send("no.such", "a", "b\r\nc")).toBe(
      "-ERR unknown command 'no.such', with args beginning with: 'a' 'b c' \r\n",
    );
  });

  test("an unknown name shows no more than a little of its arguments", () => {
    const { send } = openEndpointCore();
    expect(send("nope", ...Array<string>(1000).fill("x".repeat(100))).length).toBeLessThan(300);
    expect(send("y".repeat(10_000)).length).toBeLessThan(300);
  });

  test("names are taken in any case, as redis-cli completes them in upper case", () => {
    const { start, member, send } = openEndpointCore();
    expect(start(member, ["CORE.PING"]).reply).toBeNull();
    expect(send("lLeN", "k")).toBe(":0\r\n");
  });

  test("a wrong number of words is told", () => {
    const { send } = openEndpointCore();
    expect(send("LLEN")).toBe("-ERR wrong number of arguments for 'llen' command\r\n");
    expect(send("LLEN", "a", "b")).toBe("-ERR wrong number of arguments for 'llen' command\r\n");
    expect(send("RPUSH", "k")).toBe("-ERR wrong number of arguments for 'rpush' command\r\n");
  });
});

test("a fault of a command is logged and told without details", () => {
  const { send, table, logger } = openEndpointCore();
  const broken = table.find("get");
  if (broken === undefined) throw new Error("no GET");
  table.add([
    {
      ...broken,
      run: () => {
        throw new TypeError("secret detail");
      },
    },
  ]);
  expect(send("GET", "k")).toBe("-ERR internal error in 'get'\r\n");
  expect(logger.lines[0]?.[1]).toBe("command failed unexpectedly");
});
