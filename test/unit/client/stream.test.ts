import { expect, test } from "vitest";
import { parseRecord, readStream } from "../../../src/client/stream.ts";
import { FakeChannels } from "./fake-channels.ts";

const record = (text: string, meta: number) =>
  `{"core":0,"command":"a","message":{"message":${JSON.stringify(text)},"epoch":1795168494659594248,"meta":${meta}}}`;

async function read(replies: unknown[], isRunning: () => Promise<boolean>): Promise<string[]> {
  const texts: string[] = [];
  const node = new FakeChannels(() => replies.shift() ?? null);
  await node.use((channel) =>
    readStream(channel, {
      id: "a",
      onMessage: ({ text }) => {
        texts.push(text);
      },
      isRunning,
      signal: new AbortController().signal,
    }),
  );
  return texts;
}

test("takes level, end and the full nanosecond time out of a record", () => {
  expect(parseRecord(record("b\n", 131077))).toEqual({
    jobId: "a",
    text: "b\n",
    level: 2,
    isLast: true,
    epochNs: 1795168494659594248n,
  });
});

test("reads a level with its highest bit set as a positive number", () => {
  expect(parseRecord(record("x", 0xffff0001)).level).toBe(65535);
});

test.each(["", "[]", "null", '{"message":{"message":1,"meta":1}}'])(
  "refuses %j as a record",
  (text) => {
    expect(() => parseRecord(text)).toThrow(expect.objectContaining({ code: "E_REPLY" }));
  },
);

test("reads messages in order and stops at the last one", async () => {
  const list = [record("a", 65537), record("b", 65537), record("", 65539), record("late", 65537)];
  const replies = list.map((text) => ["stream:a", text]);

  expect(await read(replies, async () => true)).toEqual(["a", "b", ""]);
});

test("goes on after a silence while the job runs", async () => {
  const replies = [null, ["stream:a", record("a", 65539)]];

  expect(await read(replies, async () => true)).toEqual(["a"]);
});

test("stops when nothing comes and the job has ended", async () => {
  expect(await read([], async () => false)).toEqual([]);
});
