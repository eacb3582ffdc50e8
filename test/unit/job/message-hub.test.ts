import { expect, test } from "vitest";
import { MessageHub } from "../../../src/job/message-hub.ts";
import type { JobMessage } from "../../../src/job/types.ts";

const MESSAGE: JobMessage = { jobId: "a", text: "hello", level: 1, flags: 0, epochNs: 1n };

test("a listener that throws keeps nobody else from hearing, and its error is told", () => {
  const errors: unknown[] = [];
  const heard: string[] = [];
  const hub = new MessageHub((error) => errors.push(error));
  hub.listen({
    message: () => {
      throw new Error("broken");
    },
  });
  hub.listen({ message: ({ text }) => heard.push(text) });
  hub.message(MESSAGE);
  expect(heard).toEqual(["hello"]);
  expect(errors).toHaveLength(1);
});

test("who stopped listening hears nothing more, even when it stops while being told", () => {
  const heard: string[] = [];
  const hub = new MessageHub(() => {});
  const stop = hub.listen({
    message: ({ text }) => {
      heard.push(text);
      stop();
    },
  });
  hub.message(MESSAGE);
  hub.message(MESSAGE);
  expect(heard).toEqual(["hello"]);
});
