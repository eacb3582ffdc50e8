import { expect, test } from "vitest";
import { AgentError } from "../../../src/base/errors.ts";
import { explainError } from "../../../src/cli/explain.ts";
import { connectError } from "../../../src/client/errors.ts";

const node = { host: "10.0.0.1", port: 6379, path: "" };

test.each([
  ["ECONNREFUSED", "connection refused", "scripts/up"],
  ["ENOENT", "no such socket", "scripts/up"],
  ["ENOTFOUND", "no such host name", "--host"],
  ["ETIMEDOUT", "connect ETIMEDOUT", "serial log"],
  ["EACCES", "permission denied", "another user"],
])("says where, what and what to do for %s in one line", (code, what, advice) => {
  const cause = Object.assign(new Error(`connect ${code}`), { code });
  const text = explainError(connectError(cause, node));

  expect(text).toContain("10.0.0.1:6379");
  expect(text).toContain(what);
  expect(text).toContain(advice);
  expect(text).not.toContain("\n");
});

test.each([
  ["NOAUTH Authentication required", "--password-file"],
  ["WRONGPASS invalid password", "another machine's password"],
])("says what to do about %s", (message, advice) => {
  const reply = Object.assign(new Error(message), { name: "ReplyError" });

  expect(explainError(connectError(reply, node))).toContain(advice);
});

test("names the job that may go on after a time limit", () => {
  const error = new AgentError("E_DEADLINE", "Cannot wait any longer", { fields: { id: "a-1" } });

  expect(explainError(error)).toContain("node0 result a-1");
});

test("lets no control characters of a node through", () => {
  expect(explainError(new AgentError("E_REFUSED", "x\u001b[31m"))).toBe("x [31m");
});
