import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HostAgent } from "./cli-agent.ts";

const ROOT = join(import.meta.dirname, "../..");
const agent = new HostAgent();

beforeAll(() => agent.start());
afterAll(() => agent.stop());

test("the examples of docs/client.md run, and print what they should", async () => {
  const page = readFileSync(join(ROOT, "docs/client.md"), "utf8");
  const examples = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, text = ""]) => text);
  expect(examples.length).toBeGreaterThan(7);
  // One program: the first example opens the client, each of the others has names of its own.
  const [opening = "", ...others] = examples.map((text) => text.replaceAll(/^import .*\n/gm, ""));
  const imports = new Set(examples.flatMap((text) => text.match(/^import .*$/gm) ?? []));
  const program = [
    ...imports,
    opening
      .replace("6379", String(agent.port))
      .replace('"redis-password"', JSON.stringify(agent.passwordFile)),
    ...others.map((text) => `{\n${text}}`),
  ].join("\n");
  // Inside the package, where its own name leads to its source.
  const file = join(ROOT, "test-output", `client-page-${process.pid}.ts`);
  mkdirSync(join(ROOT, "test-output"), { recursive: true });
  writeFileSync(file, program);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 30_000 });
    expect(stdout.split("\n").slice(1)).toEqual([
      expect.stringMatching(/^true \d+ \d+$/),
      "ERROR 1003 hi",
      "",
      "SUCCESS true",
      "1",
      "2",
      "3",
      "SUCCESS",
      "done",
      "built",
      "SUCCESS",
      "5",
      "500 ERROR",
      "",
    ]);
    expect(stdout).toMatch(/^PONG /);
  } finally {
    rmSync(file);
  }
});
