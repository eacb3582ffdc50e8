import { describe, expect, test } from "vitest";
import { jsonText } from "../../../src/api/json-text.ts";
import type { JobMessage, JobResult } from "../../../src/job/types.ts";
import { textOfBytes } from "../../../src/resp/bytes.ts";
import { readReplies } from "../../fakes/reply-reader.ts";
import { openEndpointCore } from "./harness.ts";

const RESULT: JobResult = {
  id: "a",
  command: "core.system",
  data: "",
  streams: ["hi\n", ""],
  level: 0,
  state: "SUCCESS",
  code: 0,
  starttime: 1_795_168_462_881,
  time: 2,
  tags: null,
  container: 0,
};

const MESSAGE: JobMessage = {
  jobId: "a",
  text: "a\n",
  level: 1,
  flags: 1,
  epochNs: 1_795_168_494_659_594_248n,
};

describe("core:default", () => {
  test("a command is taken within its push and leaves the result keys", () => {
    const { send, engine } = openEndpointCore();
    expect(send("RPUSH", "core:default", '{"id":"a","command":"core.ping"}')).toBe(":1\r\n");
    expect(engine.submitted).toEqual(['{"id":"a","command":"core.ping"}']);
    expect(send("LLEN", "core:default")).toBe(":0\r\n");
    expect(send("LRANGE", "result:a:flag", "0", "-1")).toBe("*1\r\n$0\r\n\r\n");
    expect(send("TTL", "result:a:flag")).toBe(":300\r\n");
    expect(send("LLEN", "result:a")).toBe(":1\r\n");
    expect(send("TTL", "result:a")).toBe(":300\r\n");
  });

  test("while a job runs there is only its flag, without expiry", () => {
    const { send, engine } = openEndpointCore();
    send("RPUSH", "core:default", '{"id":"a","command":"later"}');
    expect(send("TTL", "result:a:flag")).toBe(":-1\r\n");
    expect(send("EXISTS", "result:a")).toBe(":0\r\n");
    engine.finishLater();
    expect(send("TTL", "result:a:flag")).toBe(":300\r\n");
  });

  test("commands are taken in the order of the list, several per push too", () => {
    const { send, engine } = openEndpointCore();
    const texts = ["1", "2", "3"].map((id) => `{"id":"${id}","command":"x"}`);
    send("RPUSH", "core:default", ...texts);
    expect(engine.submitted).toEqual(texts);
  });

  test("commands stay in the list while the engine has no room", () => {
    const { send, engine } = openEndpointCore();
    engine.isRoomy = false;
    send("RPUSH", "core:default", '{"id":"a","command":"x"}');
    expect(send("LLEN", "core:default")).toBe(":1\r\n");
    engine.makeRoom();
    expect(send("LLEN", "core:default")).toBe(":0\r\n");
    expect(engine.submitted).toHaveLength(1);
  });

  test("a known id is not run again", () => {
    const { send } = openEndpointCore();
    send("RPUSH", "core:default", '{"id":"a","command":"x"}');
    send("RPUSH", "core:default", '{"id":"a","command":"x"}');
    expect(send("LLEN", "result:a")).toBe(":1\r\n");
    expect(send("LLEN", "result:a:flag")).toBe(":1\r\n");
  });

  test("text is decoded as UTF-8", () => {
    const { send, engine } = openEndpointCore();
    send("RPUSH", "core:default", '{"id":"é","command":"x"}');
    expect(engine.submitted).toEqual(['{"id":"é","command":"x"}']);
    expect(send("EXISTS", "result:é")).toBe(":1\r\n");
  });

  test("a client that waits for the result gets it, and the key keeps its time to live", () => {
    const { send, start, openSession, engine } = openEndpointCore();
    send("RPUSH", "core:default", '{"id":"a","command":"later"}');
    const waiting = start(openSession(), ["BRPOPLPUSH", "result:a", "result:a", "10"]);
    engine.finishLater();
    expect(waiting.reply).toContain('"state":"SUCCESS"');
    expect(send("TTL", "result:a")).toBe(":300\r\n");
  });
});

describe("published results", () => {
  test("have the members and the order of the reference", () => {
    const { sink, send } = openEndpointCore();
    sink.finished(RESULT);
    const [text] = readReplies(send("RPOPLPUSH", "result:a", "result:a"));
    expect(text).toBe(
      '{"id":"a","command":"core.system","data":"","streams":["hi\\n",""],"level":0,"state":"SUCCESS",' +
        '"code":0,"starttime":1795168462881,"time":2,"tags":null,"container":0}',
    );
  });

  test("escape what could end a script element", () => {
    expect(jsonText("<a> & b\u2028")).toBe('"\\u003ca\\u003e \\u0026 b\\u2028"');
  });

  test("hold no lone surrogates but every pair", () => {
    expect(jsonText("x\ud800y \ud83d\ude00")).toBe('"x\ufffdy \ud83d\ude00"');
    expect(jsonText("\\ud800")).toBe('"\\\\ud800"');
    expect(jsonText('{"a":"\\ud800"}')).toBe('"{\\"a\\":\\"\\\\ud800\\"}"');
  });

  test("outlive their flag by nothing and disappear together", () => {
    const { sink, send, clock } = openEndpointCore();
    sink.accepted("a");
    sink.finished(RESULT);
    clock.advance(299_000);
    expect(send("EXISTS", "result:a", "result:a:flag")).toBe(":2\r\n");
    clock.advance(2000);
    expect(send("DBSIZE")).toBe(":0\r\n");
  });

  test("go through beyond the memory limit, which stops clients", () => {
    const { sink, send } = openEndpointCore({ maxBytes: 100 });
    sink.finished(RESULT);
    expect(send("LLEN", "result:a")).toBe(":1\r\n");
    expect(send("RPUSH", "core:default", "{}")).toMatch(/^-OOM /);
  });
});

describe("streams", () => {
  test("get one record per message, its 64-bit time in digits", () => {
    const { sink, send } = openEndpointCore();
    sink.message(MESSAGE);
    expect(readReplies(send("LPOP", "stream:a"))).toEqual([
      '{"core":0,"command":"a","message":{"message":"a\\n","epoch":1795168494659594248,"meta":65537}}',
    ]);
  });

  test("carry level and flags in one unsigned number", () => {
    const { sink, send } = openEndpointCore();
    for (const [level, flags] of [
      [20, 3],
      [2, 5],
      [65_535, 1],
    ] as const) {
      sink.message({ ...MESSAGE, level, flags });
    }
    const [records] = readReplies(send("LRANGE", "stream:a", "0", "-1")) as [string[]];
    const metas = records.map(
      (record) => (JSON.parse(record) as { message: { meta: number } }).message.meta,
    );
    expect(metas).toEqual([1_310_723, 131_077, 4_294_901_761]);
  });

  test("get nothing from jobs that did not ask for one", () => {
    const { sink, send } = openEndpointCore();
    sink.message({ ...MESSAGE, flags: 2 });
    expect(send("EXISTS", "stream:a")).toBe(":0\r\n");
  });

  test("keep the newest 1000 records and live 60 s after the last", () => {
    const { sink, send, clock } = openEndpointCore();
    for (let index = 0; index < 1005; index += 1) sink.message({ ...MESSAGE, text: String(index) });
    expect(send("LLEN", "stream:a")).toBe(":1000\r\n");
    const [first] = readReplies(send("LINDEX", "stream:a", "0"));
    expect(first).toContain('"message":"5"');
    clock.advance(50_000);
    sink.message(MESSAGE);
    expect(send("TTL", "stream:a")).toBe(":60\r\n");
  });

  test("serve a waiting reader", () => {
    const { sink, start, openSession, send } = openEndpointCore();
    const reader = start(openSession(), ["BLPOP", "stream:a", "10"]);
    sink.message(MESSAGE);
    expect(reader.reply).toMatch(/^\*2\r\n\$8\r\nstream:a\r\n\$\d+\r\n\{"core":0/);
    expect(send("EXISTS", "stream:a")).toBe(":0\r\n");
  });
});

describe("a job as a command of its own", () => {
  const run = async (...words: string[]) => {
    const core = openEndpointCore();
    const state = core.start(core.openSession(), words);
    await Promise.resolve();
    await Promise.resolve();
    return { ...core, reply: state.reply ?? "" };
  };

  test("answers with the result object", async () => {
    const { reply, engine } = await run("core.system", '{"name":"uname"}', '{"id":"x"}');
    const [text] = readReplies(reply);
    expect(JSON.parse(String(text))).toMatchObject({
      id: "x",
      command: "core.system",
      state: "SUCCESS",
    });
    expect(engine.submitted).toEqual([
      '{"id":"x","command":"core.system","arguments":{"name":"uname"}}',
    ]);
  });

  test("has empty arguments and an id of its own when none are given", async () => {
    const { reply } = await run("core.ping");
    const [text] = readReplies(reply);
    expect(JSON.parse(String(text))).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });

  test("answers with an error in one line when the job fails", async () => {
    const { reply } = await run("core.ping", '{"fail":true}', '{"id":"x"}');
    expect(reply).toBe("-JOBERR 500 ERROR core.ping x: bad <thing> second\r\n");
  });

  test.each([
    [["core.ping", "{"], /^-ERR arguments are not JSON: /],
    [["core.ping", "[1]"], /^-ERR arguments must be a JSON object, got \[1\]/],
    [["core.ping", "null"], /^-ERR arguments must be a JSON object, got null/],
    [["core.ping", "{}", "x"], /^-ERR options are not JSON: /],
    [["core.ping", "{}", '{"maxtime":1}'], /^-ERR unknown option "maxtime", expected id, queue, /],
    [["core.ping", "{}", '{"max_time":"x"}'], /^-ERR Cannot use max_time: "x" seen/],
    [["core.ping", "{}", "{}", "{}"], /^-ERR wrong number of arguments for 'core.ping' command/],
  ])("%j is refused", async (words, message) => {
    const { reply, engine } = await run(...words);
    expect(reply).toMatch(message);
    expect(engine.submitted).toEqual([]);
  });

  test("texts beyond ASCII arrive whole", async () => {
    const { reply } = await run("core.ping", "{}", '{"id":"é"}');
    expect(textOfBytes(reply)).toContain('"id":"é"');
  });
});
