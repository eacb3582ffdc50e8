import { expect, test } from "vitest";
import { runProgram } from "../../../src/storage/program.ts";

test("failures have the codes of the wire protocol", async () => {
  await expect(runProgram("sh", ["-c", "echo out; echo err >&2; exit 3"])).rejects.toMatchObject({
    code: 1003,
    message: "(ERROR): [out\n err\n]",
  });
  await expect(runProgram("node0-no-such-program", [])).rejects.toMatchObject({ code: 404 });
  await expect(runProgram("sh", ["-c", "kill -9 $$"])).rejects.toMatchObject({ code: 999 });
  const accepted = await runProgram("sh", ["-c", "exit 64"], {
    accepts: (status) => status === 64,
  });
  expect(accepted.status).toBe(64);
});

test("a program has a time limit", async () => {
  const late = runProgram("sleep", ["30"], { timeoutMs: 100 });
  await expect(late).rejects.toMatchObject({ code: 999 });
});
