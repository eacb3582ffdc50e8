import { expect, test } from "vitest";
import { Cmdlines } from "../../../../src/sys/proc/cmdlines.ts";

test("gives up on a process whose memory is locked and reads nothing more until that read ends", async () => {
  const stuck = Promise.withResolvers<string | undefined>();
  const asked: string[] = [];
  const cmdlines = new Cmdlines(1, (path) => {
    asked.push(path);
    return path === "/proc/7/cmdline" ? stuck.promise : Promise.resolve("ok\0");
  });

  expect(await cmdlines.read(7)).toBe("");
  expect(await cmdlines.read(8)).toBe("");
  expect(asked).toStrictEqual(["/proc/7/cmdline"]);

  stuck.resolve("late\0");
  await stuck.promise;
  await new Promise(setImmediate);
  expect(await cmdlines.read(8)).toBe("ok");
});
