import { expect, test } from "vitest";
import { messageWriter } from "../../../src/cli/message-writer.ts";
import { FakeIo } from "./fake-io.ts";

async function write(level: number, text: string): Promise<[string, string]> {
  const io = new FakeIo();
  await messageWriter(io)({ jobId: "a", level, text, isLast: false, epochNs: 0n });
  return [io.out, io.err];
}

test.each<[string, number, string, [string, string]]>([
  ["standard output as it is", 1, "no newline", ["no newline", ""]],
  ["standard error as it is", 2, "e", ["", "e"]],
  ["a public message as a line", 3, "hello", ["hello\n", ""]],
  ["a result as a line", 20, '{"a":1}\n', ['{"a":1}\n', ""]],
  ["a warning to standard error", 7, "careful", ["", "careful\n"]],
  ["no statistics", 10, "m:1|A\n", ["", ""]],
  ["nothing for the end of the job", 1, "", ["", ""]],
])("writes %s", async (_name, level, text, written) => {
  expect(await write(level, text)).toEqual(written);
});
