import { expect, test } from "vitest";
import { connectError, formatEndpoint, JobError, replyError } from "../../../src/client/errors.ts";

const node = { host: "10.0.0.1", port: 6379, path: "" };

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

test("turns JOBERR into a job error with state, code and text", () => {
  const error = replyError(reply("JOBERR 1003 ERROR core.system a-1: (ERROR): [out\n err]"), node);

  expect(error).toBeInstanceOf(JobError);
  expect(error).toMatchObject({
    code: "E_JOB_FAILED",
    jobCode: 1003,
    state: "ERROR",
    command: "core.system",
    jobId: "a-1",
  });
  expect(error.message).toContain("(ERROR): [out");
});

test("keeps a job id that holds colons", () => {
  const error = replyError(reply("JOBERR 500 ERROR bash zfs:vms/1: no"), node);

  expect(error).toMatchObject({ jobId: "zfs:vms/1" });
  expect(error.message).toMatch(/: no$/);
});

test.each([
  ["NOAUTH Authentication required", false],
  ["WRONGPASS invalid username-password pair", true],
])("calls %j a failed log-in", (message, isGiven) => {
  expect(connectError(reply(message), node)).toMatchObject({ code: "E_AUTH", fields: { isGiven } });
});

test("calls any other error reply refused", () => {
  expect(replyError(reply("ERR unknown command 'x'"), node).code).toBe("E_REFUSED");
});

test("names the place and the system's reason of a failed connection", () => {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const error = connectError(cause, node);

  expect(error).toMatchObject({ code: "E_CONNECT", fields: { reason: "ECONNREFUSED" } });
  expect(error.message).toContain("10.0.0.1:6379");
});

test("writes endpoints so that IPv6 addresses and sockets can be told apart", () => {
  expect(formatEndpoint({ host: "fd00::1", port: 6379, path: "" })).toBe("[fd00::1]:6379");
  expect(formatEndpoint({ host: "", port: 0, path: "/run/x.sock" })).toBe("/run/x.sock");
});
