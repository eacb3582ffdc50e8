import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SlowFiles } from "../../../src/sys/slow-files.ts";

const NO_ANSWER = "Cannot read f: its file system has not answered for 5 s";
const request = { path: "f", code: "E_TEST" };

let files: SlowFiles;

beforeEach(() => {
  vi.useFakeTimers();
  files = new SlowFiles();
});
afterEach(() => vi.useRealTimers());

/** How a read ended so far. */
function follow(reading: Promise<unknown>): { end: string } {
  const state = { end: "" };
  reading.then(
    (value) => {
      state.end = String(value);
    },
    (error: Error) => {
      state.end = error.message;
    },
  );
  return state;
}

test("reads one after the other, and each gets its own outcome", async () => {
  const log: string[] = [];
  const read = (name: string) =>
    files.read({
      ...request,
      work: async () => {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
        if (name === "b") throw new Error("b failed");
        return name;
      },
    });
  const all = await Promise.allSettled(["a", "b", "c"].map(read));
  expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});

test("one that hangs is given up with all that wait, and nothing else is tried meanwhile", async () => {
  const answer = Promise.withResolvers<string>();
  const late: string[] = [];
  let others = 0;
  const other = () =>
    files.read({
      ...request,
      work: async () => {
        others += 1;
        return `other ${others}`;
      },
    });
  const hanging = follow(
    files.read({ ...request, work: () => answer.promise, onLate: (value) => late.push(value) }),
  );
  const waiting = follow(other());
  await vi.advanceTimersByTimeAsync(4999);
  expect([hanging.end, waiting.end]).toEqual(["", ""]);
  await vi.advanceTimersByTimeAsync(1);
  expect([hanging.end, waiting.end]).toEqual([NO_ANSWER, NO_ANSWER]);
  await expect(other()).rejects.toMatchObject({ code: "E_TEST", message: NO_ANSWER });
  expect(others).toBe(0);
  answer.resolve("secret");
  await vi.advanceTimersByTimeAsync(0);
  expect(late).toEqual(["secret"]);
  expect(await other()).toBe("other 1");
});

test("one that makes progress may take as long as it likes", async () => {
  const reading = follow(
    files.read({
      ...request,
      work: async (progress) => {
        for (let part = 0; part < 5; part += 1) {
          await new Promise((resolve) => setTimeout(resolve, 4000));
          progress();
        }
        return "all";
      },
    }),
  );
  await vi.advanceTimersByTimeAsync(20_000);
  expect(reading.end).toBe("all");
});
