import { expect, test } from "vitest";
import { runCli } from "../../../src/cli/cli.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { FakeIo } from "./fake-io.ts";

async function cli(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = new FakeIo();
  const code = await runCli(words, io);
  return { code, out: io.out, err: io.err };
}

test("ends with 2 and one line for a command line it cannot understand", async () => {
  expect(await cli("pnig")).toEqual({
    code: 2,
    out: "",
    err: 'node0: Cannot find the command "pnig"; did you mean ping? (see "node0 help")\n',
  });
});

test("shows help without a command, with help and with --help", async () => {
  const { out, code } = await cli();

  expect(code).toBe(0);
  for (const { name } of COMMANDS) expect(out).toContain(`\n  ${name} `);
  expect((await cli("help")).out).toBe(out);
  expect((await cli("--help")).out).toBe(out);
});

test.each(COMMANDS.map((command) => [command.name, command] as const))(
  "explains every option of %s with an example",
  async (name, command) => {
    const { out, code } = await cli("help", name);

    expect(code).toBe(0);
    for (const option of command.options) expect(out).toContain(option.name);
    expect(command.examples.length).toBeGreaterThan(0);
    expect((await cli(name, "--help")).out).toBe(out);
  },
);

test("shows its version", async () => {
  expect((await cli("--version")).out).toMatch(/^node0 \d+\.\d+\.\d+\n$/);
});

test("has no option a password could be given in", async () => {
  const { code, err } = await cli("ping", "--password", "secret");

  expect(code).toBe(2);
  expect(err).toContain("--password-file");
});

test("refuses arguments that are not JSON before it connects", async () => {
  const { code, err } = await cli("call", "core.ping", "{");

  expect(code).toBe(2);
  expect(err).toContain("Cannot read the arguments as JSON");
});

test("refuses --env without a name", async () => {
  expect(await cli("run", "--env", "=x", "--", "true")).toMatchObject({ code: 2 });
});

test("uses each option name for one meaning of value only", () => {
  const takesValue = new Map<string, boolean>();
  for (const { options } of COMMANDS) {
    for (const { name, value } of options) {
      expect(takesValue.get(name) ?? value !== undefined).toBe(value !== undefined);
      takesValue.set(name, value !== undefined);
    }
  }
});
