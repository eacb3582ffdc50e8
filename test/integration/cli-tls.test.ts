import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node0/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { FakeIo } from "../unit/cli/fake-io.ts";
import { HostAgent } from "./cli-agent.ts";

const agent = new HostAgent();
const file = (name: string): string => join(agent.directory, name);

beforeAll(async () => {
  const users = file("users.toml");
  writeFileSync(users, '[user.look]\nrole = "reader"\npassword = "reader horse"\n', {
    mode: 0o600,
  });
  writeFileSync(file("reader"), "reader horse\n");
  await agent.start(`[endpoint]\ntls = "required"\nusers = "${users}"\n`);
});
afterAll(() => agent.stop());

async function cli(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = new FakeIo();
  const code = await runCli(["--host", "127.0.0.1", "--port", String(agent.port), ...words], io);
  return { code, out: io.out, err: io.err };
}

test("a node that wants TLS is reached with it, verified by its certificate", async () => {
  const password = ["--password-file", agent.passwordFile];
  expect((await cli(...password, "ping")).code).toBe(1);
  expect((await cli(...password, "--tls", "ping")).out).toMatch(/^PONG /);
  const certificate = file("state/endpoint.crt");
  expect((await cli(...password, "--ca-file", certificate, "ping")).out).toMatch(/^PONG /);
});

test("another certificate than the one named is refused before the password is sent", async () => {
  const other = new HostAgent();
  await other.start('[endpoint]\ntls = "required"\n');
  try {
    const { port, passwordFile } = other;
    // Made with the first client that speaks TLS.
    (await connect({ port, passwordFile, tls: true })).close();
    const caFile = join(other.directory, "state/endpoint.crt");
    const password = ["--password-file", agent.passwordFile];
    const { code, err } = await cli(...password, "--ca-file", caFile, "ping");
    expect(code).toBe(1);
    expect(err).toMatch(/^node0: Cannot connect to 127\.0\.0\.1:\d+: .*certificate/);
  } finally {
    await other.stop();
  }
  await expect(connect({ caFile: "/no/such/file" })).rejects.toMatchObject({ code: "E_CA_FILE" });
});

test("a reader may look; what it may not do is said as such", async () => {
  const reader = ["--tls", "--password-file", file("reader")];
  expect(await cli(...reader, "status")).toMatchObject({ code: 0, err: "" });
  expect(await cli(...reader, "top", "--interval", "0.1")).toMatchObject({ code: 0, err: "" });
  const { code, err } = await cli(...reader, "fs", "mkdir", file("made"));
  expect(code).toBe(1);
  expect(err).toMatch(/^node0: Cannot run the request on .*: this user has no permissions/);
});
