import { expect, test } from "vitest";
import { MessageHub } from "../../../src/job/message-hub.ts";
import type { JobMessage } from "../../../src/job/types.ts";
import { listenLazily } from "../../../src/records/listen-lazily.ts";
import { record } from "./records.ts";

function setUp() {
  const hub = new MessageHub(() => {});
  const heard: string[] = [];
  const listener = { message: ({ text }: JobMessage): void => void heard.push(text) };
  const loads: PromiseWithResolvers<typeof listener>[] = [];
  const errors: unknown[] = [];
  const open = listenLazily({
    hub,
    wants: ({ level }) => level === 10,
    load: () => {
      const load = Promise.withResolvers<typeof listener>();
      loads.push(load);
      return load.promise;
    },
    onError: (error) => errors.push(error),
  });
  const say = (text: string, level = 10): void => hub.message(record({ text, level }));
  return { say, open, heard, loads, errors, listener };
}

test("loads with the first message that is wanted, and loses none meanwhile", async () => {
  const { say, open, heard, loads, listener } = setUp();
  say("other", 1);
  expect(loads).toHaveLength(0);
  say("a");
  say("b");
  expect(loads).toHaveLength(1);
  loads[0]?.resolve(listener);
  say("c");
  await open();
  say("d");
  expect(heard).toStrictEqual(["a", "b", "c", "d"]);
  expect(loads).toHaveLength(1);
});

test("loads for whoever asks", async () => {
  const { say, open, heard, loads, listener } = setUp();
  const asked = open();
  loads[0]?.resolve(listener);
  expect(await asked).toBe(listener);
  say("a");
  expect(heard).toStrictEqual(["a"]);
});

test("tries again after a failure", async () => {
  const { say, open, heard, loads, errors, listener } = setUp();
  say("a");
  loads[0]?.reject(new Error("no memory"));
  await expect(open()).rejects.toThrow("no memory");
  expect(errors).toHaveLength(1);
  say("b");
  loads[1]?.resolve(listener);
  await open();
  expect(heard).toStrictEqual(["b"]);
});

test("goes on when the listener throws at what came first", async () => {
  const { say, open, heard, loads, errors, listener } = setUp();
  say("bad");
  loads[0]?.resolve({
    message: (message) => {
      if (message.text === "bad") throw new Error("bad");
      listener.message(message);
    },
  });
  await open();
  say("good");
  expect(heard).toStrictEqual(["good"]);
  expect(errors).toHaveLength(1);
});
