import { describe, expect, test } from "vitest";
import { openEndpointCore } from "./harness.ts";

const INTEGER_ERROR = "-ERR value is not an integer or out of range\r\n";
const SYNTAX_ERROR = "-ERR syntax error\r\n";
const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

interface Step {
  readonly request: string;
  readonly reply: string;
}

/** One line per request: words, then `=>` and the reply with \r\n shown as `|`. */
function script(text: string): Step[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [request = "", reply = ""] = line.split("=>").map((part) => part.trim());
      return { request, reply: reply.replaceAll("|", "\r\n") };
    });
}

function check(text: string): void {
  const { send } = openEndpointCore();
  for (const { request, reply } of script(text)) {
    const words = request.split(/ +/).map((word) => (word === "''" ? "" : word));
    expect(`${request} => ${send(...words)}`).toBe(`${request} => ${reply}`);
  }
}

describe("lists", () => {
  test("are pushed, read and popped", () => {
    check(`
      RPUSH k a b c => :3|
      LPUSH k z => :4|
      LLEN k => :4|
      LRANGE k 0 -1 => *4|$1|z|$1|a|$1|b|$1|c|
      LRANGE k 5 9 => *0|
      LINDEX k -1 => $1|c|
      LINDEX k 9 => $-1|
      LPOP k => $1|z|
      RPOP k 2 => *2|$1|c|$1|b|
      LREM k 0 a => :1|
      EXISTS k => :0|
      LPOP k => $-1|
      LPOP k 2 => *-1|
      LLEN k => :0|
    `);
  });

  test("can hold empty elements", () => {
    check(`
      RPUSH k '' => :1|
      BRPOPLPUSH k k 1 => $0||
      LRANGE k 0 -1 => *1|$0||
    `);
  });

  test("are moved and trimmed", () => {
    check(`
      RPUSH a 1 2 3 => :3|
      RPOPLPUSH a b => $1|3|
      LMOVE a b LEFT RIGHT => $1|1|
      LRANGE b 0 -1 => *2|$1|3|$1|1|
      LMOVE none b left right => $-1|
      LMOVE a b UP DOWN => ${SYNTAX_ERROR.replaceAll("\r\n", "|")}
      LTRIM b 1 -1 => +OK|
      LRANGE b 0 -1 => *1|$1|1|
      RPOPLPUSH none b => $-1|
    `);
  });

  test("refuse bad numbers", () => {
    const { send } = openEndpointCore();
    for (const request of ["LRANGE k a 1", "LRANGE k 1 1.5", "LINDEX k 01", "LTRIM k 1 +1"]) {
      expect(send(...request.split(" "))).toBe(INTEGER_ERROR);
    }
    expect(send("LRANGE", "k", "0", "9223372036854775807")).toBe("*0\r\n");
    expect(send("LRANGE", "k", "0", "9223372036854775808")).toBe(INTEGER_ERROR);
    expect(send("LPOP", "k", "-1")).toBe("-ERR value is out of range, must be positive\r\n");
  });
});

describe("strings", () => {
  test("are set under conditions", () => {
    check(`
      SET k v => +OK|
      GET k => $1|v|
      SET k w NX => $-1|
      SET k w XX GET => $1|v|
      SET k x EX 100 => +OK|
      TTL k => :100|
      SET k y KEEPTTL => +OK|
      PTTL k => :100000|
      SET k z PX 5000 => +OK|
      TTL k => :5|
      SET n 1 XX => $-1|
      GET n => $-1|
      SET k v EX 0 => -ERR invalid expire time in 'set' command|
      SET k v EX x => -ERR value is not an integer or out of range|
      SET k v NX XX => -ERR syntax error|
      SET k v EX => -ERR syntax error|
      SET k v OTHER => -ERR syntax error|
    `);
  });

  test("count", () => {
    check(`
      INCR n => :1|
      INCRBY n 41 => :42|
      DECRBY n 2 => :40|
      DECR n => :39|
      SET big 9223372036854775806 => +OK|
      INCR big => :9223372036854775807|
      INCR big => -ERR increment or decrement would overflow|
      SET t text => +OK|
      INCR t => -ERR value is not an integer or out of range|
    `);
  });

  test("and lists are not mixed up", () => {
    const { send } = openEndpointCore();
    send("SET", "s", "x");
    send("RPUSH", "l", "x");
    for (const request of [
      "RPUSH s a",
      "LLEN s",
      "LPOP s",
      "BLPOP s 1",
      "BRPOPLPUSH l s 1",
      "GET l",
      "INCR l",
    ]) {
      expect(send(...request.split(" "))).toBe(WRONG_TYPE);
    }
  });
});

describe("keys", () => {
  test("expire, persist and are typed", () => {
    check(`
      TTL k => :-2|
      PTTL k => :-2|
      EXPIRE k 10 => :0|
      RPUSH k a => :1|
      TTL k => :-1|
      EXPIRE k 300 => :1|
      TTL k => :300|
      LTTL k => :300|
      EXPIRE k 400 LT => :0|
      EXPIRE k 400 GT => :1|
      EXPIRE k 10 NX => :0|
      EXPIRE k 500 XX => :1|
      EXPIRE k 1 ZZ => -ERR Unsupported option ZZ|
      EXPIRE k 1 NX GT => -ERR NX and XX, GT or LT options at the same time are not compatible|
      EXPIRE k 9223372036854775807 => -ERR invalid expire time in 'expire' command|
      PERSIST k => :1|
      PERSIST k => :0|
      TTL k => :-1|
      TYPE k => +list|
      SET s x => +OK|
      TYPE s => +string|
      TYPE none => +none|
      PEXPIRE k 2500 => :1|
      PTTL k => :2500|
      EXPIRE k -1 => :1|
      EXISTS k => :0|
    `);
  });

  test("are counted, listed and deleted", () => {
    check(`
      RPUSH a 1 => :1|
      SET b 1 => +OK|
      EXISTS a b a none => :3|
      LKEYEXISTS a => :1|
      DBSIZE => :2|
      KEYS * => *2|$1|a|$1|b|
      KEYS [b-z] => *1|$1|b|
      SCAN 0 => *2|$1|0|*2|$1|a|$1|b|
      SCAN 0 TYPE string => *2|$1|0|*1|$1|b|
      SCAN 0 MATCH a COUNT 1 => *2|$1|2|*1|$1|a|
      SCAN x => -ERR invalid cursor|
      SCAN 0 COUNT 0 => -ERR syntax error|
      SCAN 0 COUNT => -ERR syntax error|
      DEL a none => :1|
      UNLINK b => :1|
      DBSIZE => :0|
      FLUSHALL => -ERR 'flushall' is refused: the keys are the state of running jobs|
    `);
  });
});

describe("blocking pops", () => {
  test("answer at once when there is an element", () => {
    check(`
      RPUSH k a b => :2|
      BLPOP none k 0 => *2|$1|k|$1|a|
      BRPOP k 0.5 => *2|$1|k|$1|b|
      RPUSH a 1 => :1|
      BLMOVE a b LEFT LEFT 1 => $1|1|
      BRPOPLPUSH b b 0 => $1|1|
    `);
  });

  test("answer nil after their own time, in the way of each protocol", () => {
    const { start, openSession, clock } = openEndpointCore();
    const two = start(openSession(), ["BLPOP", "k", "2.5"]);
    const three = openSession();
    three.protocol = 3;
    const pending = start(three, ["BRPOPLPUSH", "k", "k", "2.5"]);
    clock.advance(2499);
    expect([two.reply, pending.reply]).toEqual([null, null]);
    clock.advance(1);
    expect([two.reply, pending.reply]).toEqual(["*-1\r\n", "_\r\n"]);
  });

  test("serve all who rotate one key with one element", () => {
    const { start, openSession, send } = openEndpointCore();
    const waiting = [1, 2, 3].map(() => start(openSession(), ["BRPOPLPUSH", "k", "k", "10"]));
    expect(send("RPUSH", "k", "x")).toBe(":1\r\n");
    expect(send("EXPIRE", "k", "300")).toBe(":1\r\n");
    expect(waiting.map(({ reply }) => reply)).toEqual(Array(3).fill("$1\r\nx\r\n"));
    expect(send("TTL", "k")).toBe(":300\r\n");
  });

  test("refuse bad timeouts", () => {
    const { send } = openEndpointCore();
    const notFloat = "-ERR timeout is not a float or out of range\r\n";
    for (const timeout of ["x", "", "nan", "inf", "0x10", "1e400"]) {
      expect(send("BLPOP", "k", timeout)).toBe(notFloat);
    }
    expect(send("BLPOP", "k", "-1")).toBe("-ERR timeout is negative\r\n");
  });

  test("take nothing once they were cancelled", () => {
    const { start, openSession, send } = openEndpointCore();
    start(openSession(), ["BLPOP", "k", "0"]).cancel();
    send("RPUSH", "k", "a");
    expect(send("LLEN", "k")).toBe(":1\r\n");
  });
});

test("writes that would pass the memory limit are refused, reads and deletes are not", () => {
  const { send } = openEndpointCore({ maxBytes: 2000 });
  expect(send("RPUSH", "k", "x".repeat(1000))).toBe(":1\r\n");
  expect(send("RPUSH", "k", "x".repeat(1000))).toMatch(/^-OOM command not allowed/);
  expect(send("SET", "s", "x".repeat(1000))).toMatch(/^-OOM /);
  expect(send("LLEN", "k")).toBe(":1\r\n");
  expect(send("DEL", "k")).toBe(":1\r\n");
  expect(send("RPUSH", "k", "x".repeat(1000))).toBe(":1\r\n");
});
