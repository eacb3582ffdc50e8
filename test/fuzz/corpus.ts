import { request } from "../integration/support/raw-connection.ts";

const command = (id: string, name: string, more: object = {}): string =>
  JSON.stringify({ id, command: name, arguments: null, queue: null, stream: true, ...more });

/**
 * Valid requests to start from. They share a few keys and job ids; none of the commands changes the
 * machine, whatever becomes of its arguments.
 */
export const CORPUS: readonly string[] = [
  request("PING"),
  request("PING", "message"),
  request("ECHO", "\x00\xff\r\n"),
  request("HELLO", "3", "SETNAME", "fuzz"),
  request("HELLO", "2"),
  request("SELECT", "0"),
  request("RESET"),
  request("QUIT"),
  request("CLIENT", "SETNAME", "fuzz"),
  request("CLIENT", "SETINFO", "LIB-NAME", "fuzz"),
  request("CLIENT", "LIST"),
  request("CLIENT", "INFO"),
  request("COMMAND", "COUNT"),
  request("COMMAND", "INFO", "get"),
  request("COMMAND", "DOCS", "core.ping"),
  request("CONFIG", "GET", "*"),
  request("INFO", "memory"),
  request("RPUSH", "l1", "a", "b", "c"),
  request("LPUSH", "l2", "a"),
  request("LPOP", "l1", "2"),
  request("RPOP", "l2"),
  request("LRANGE", "l1", "0", "-1"),
  request("LTRIM", "l1", "-100", "-1"),
  request("LINDEX", "l1", "-1"),
  request("LREM", "l1", "0", "a"),
  request("LLEN", "l2"),
  request("RPOPLPUSH", "l1", "l2"),
  request("LMOVE", "l1", "l2", "LEFT", "RIGHT"),
  request("BLPOP", "l1", "l2", "l3", "0.01"),
  request("BRPOP", "l3", "0"),
  request("BRPOPLPUSH", "l3", "l3", "0"),
  request("BLMOVE", "l1", "l2", "LEFT", "RIGHT", "1"),
  request("SET", "s1", "value", "EX", "10", "NX"),
  request("GET", "s1"),
  request("INCRBY", "n1", "1000000"),
  request("DEL", "l1", "l2", "s1"),
  request("EXISTS", "l1", "s1"),
  request("EXPIRE", "l1", "300", "GT"),
  request("PEXPIRE", "s1", "1500"),
  request("TTL", "l1"),
  request("PERSIST", "l1"),
  request("TYPE", "l1"),
  request("KEYS", "l[1-9]*"),
  request("SCAN", "0", "MATCH", "*", "COUNT", "100", "TYPE", "list"),
  request("DBSIZE"),
  request("RPUSH", "core:default", command("f1", "core.ping")),
  request("RPUSH", "core:default", command("f2", "no.such", { max_time: 1, tags: ["a", "b"] })),
  request("RPUSH", "core:default", command("f3", "info.mem", { queue: "q", log_levels: [1, 2] })),
  request("BRPOPLPUSH", "result:f1", "result:f1", "0.01"),
  request("RPOPLPUSH", "result:f1:flag", "result:f1:flag"),
  request("BLPOP", "stream:f1", "0.01"),
  request("core.ping"),
  request("core.ping", "{}", '{"id":"f4","max_time":5,"tags":["x"]}'),
  request("info.version", "{}"),
  "PING\r\n",
  "ECHO \"quoted \\x41 \\n\" 'single'\r\n",
  request("PING").repeat(20),
  request("RPUSH", "l1", "x".repeat(5000)) + request("LPOP", "l1"),
];

/** Requests with passwords: their answers are delayed, so they are rare. */
export const PASSWORD_CORPUS: readonly string[] = [
  request("AUTH", "wrong"),
  request("AUTH", "default", "wrong"),
  request("HELLO", "3", "AUTH", "default", "wrong", "SETNAME", "fuzz"),
];
