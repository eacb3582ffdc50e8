import { afterAll, beforeAll, expect, test } from "vitest";
import { HostAgent } from "./cli-agent.ts";

const agent = new HostAgent();

beforeAll(() => agent.start());
afterAll(() => agent.stop());

test.each([
  ["show", []],
  ["show", ["watch"]],
  ["reload", ["reload"]],
])("an agent on a host refuses to %s its network", async (verb, words) => {
  const { code, out, err } = await agent.cli(["net", ...words]);

  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toMatch(new RegExp(`^node0: .*Cannot ${verb} the network: this agent is a guest`));
  expect(err.trim().split("\n")).toHaveLength(1);
});

test("an action that does not exist is a usage error", async () => {
  const { code, err } = await agent.cli(["net", "wach"]);

  expect(code).toBe(2);
  expect(err).toContain("did you mean watch?");
});

test("refuses to wait longer than a minute", async () => {
  const { code, err } = await agent.cli(["call", "net.status", '{"since": 1, "wait_ms": 60001}']);

  expect(code).toBe(1);
  expect(err).toContain("expected an integer from 0 to 60000");
});
