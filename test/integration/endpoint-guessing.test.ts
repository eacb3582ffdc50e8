import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { HostAgent } from "./cli-agent.ts";
import { RawConnection, request } from "./support/raw-connection.ts";

const GUESSES = 300;
const FAILURES = 20;

const cleanUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function openAgent(config: string): Promise<{ agent: HostAgent; local: RawConnection }> {
  const agent = new HostAgent();
  cleanUps.push(() => agent.stop());
  await agent.start(config);
  const local = await RawConnection.open(join(agent.directory, "state/redis.sock"));
  cleanUps.push(() => local.close());
  return { agent, local };
}

/** Sends one request and gives the first line of the answer and how long it took. */
function ask(
  agent: HostAgent,
  bytes: string,
  localAddress = "127.0.0.1",
): Promise<{ line: string; tookMs: number }> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const socket = connect({ port: agent.port, host: "127.0.0.1", localAddress });
    let received = "";
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (!received.includes("\n")) return;
      socket.destroy();
      resolve({ line: received.split("\r\n")[0] ?? "", tookMs: performance.now() - startMs });
    });
    socket.write(bytes);
  });
}

async function info(local: RawConnection, name: string): Promise<number> {
  local.received = "";
  local.send(request("INFO", "stats") + request("ECHO", "end-of-reply"));
  const received = await local.until((bytes) => bytes.endsWith("end-of-reply\r\n"));
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(received)?.[1]);
}

test("hundreds of guesses at once are slow, few are looked at, and another address gets in", async () => {
  const { agent, local } = await openAgent("[endpoint]\nlockout_time = 300\n");
  const member = await RawConnection.open(agent.port);
  cleanUps.push(() => member.close());
  await member.exchange(request("AUTH", "correct horse"), "+OK\r\n");
  const guesses = Array.from({ length: GUESSES }, (_, index) =>
    ask(agent, request("AUTH", `guess ${index}`)),
  );
  const answers = await Promise.all(guesses);
  const wrong = answers.filter(({ line }) => line.includes("invalid username-password"));
  const locked = answers.filter(({ line }) => line.includes("too many wrong passwords"));
  expect([wrong.length, locked.length]).toEqual([FAILURES, GUESSES - FAILURES]);
  expect(Math.min(...answers.map(({ tookMs }) => tookMs))).toBeGreaterThan(90);
  expect(Math.min(...locked.map(({ tookMs }) => tookMs))).toBeGreaterThan(1900);
  expect(await info(local, "authentication_failures")).toBe(FAILURES);
  expect(await info(local, "lockouts")).toBe(1);
  expect(await info(local, "locked_attempts")).toBe(GUESSES - FAILURES);
  // The right one is not looked at either, from there.
  const right = request("AUTH", "correct horse");
  expect((await ask(agent, right)).line).toMatch(/^-WRONGPASS too many wrong passwords/);
  expect((await ask(agent, right, "127.0.0.2")).line).toBe("+OK");
  // Who is in stays in.
  await member.exchange(request("PING"), "+PONG\r\n");
});

const USERS = `[user.watcher]
role = "reader"
password = "watching words"
[user.helper]
role = "operator"
password = 'helping words'
`;

test("users of a file get in, also with TLS, and lose that when the agent is told they are gone", async () => {
  const agent = new HostAgent();
  cleanUps.push(() => agent.stop());
  const file = join(agent.directory, "users.toml");
  writeFileSync(file, USERS, { mode: 0o600 });
  await agent.start(`[endpoint]\nusers = "${file}"\ntls = "required"\n`);
  const target = { port: agent.port, host: "127.0.0.1", rejectUnauthorized: false };
  const [watcher, helper] = [connectTls(target), connectTls(target)];
  for (const socket of [watcher, helper]) cleanUps.push(() => void socket.destroy());
  const say = async (socket: typeof watcher, ...words: string[]): Promise<string> => {
    socket.write(request(...words));
    const [chunk] = (await once(socket, "data")) as [Buffer];
    return chunk.toString("latin1");
  };
  expect(await say(watcher, "AUTH", "watching words")).toBe("+OK\r\n");
  expect(await say(watcher, "ACL", "WHOAMI")).toContain("watcher");
  expect(await say(watcher, "core.ping")).toContain("PONG");
  expect(await say(watcher, "core.system", '{"name":"true"}')).toMatch(/^-NOPERM/);
  expect(await say(watcher, "bash", '{"script":"true"}')).toMatch(/^-NOPERM/);
  expect(await say(helper, "AUTH", "helper", "helping words")).toBe("+OK\r\n");
  expect(await say(helper, "SET", "a", "b")).toMatch(/^-NOPERM/);
  writeFileSync(file, USERS.slice(USERS.indexOf("[user.helper]")));
  const server = await say(helper, "INFO", "server");
  const [, pid] = /process_id:(\d+)/.exec(server) ?? [];
  process.kill(Number(pid), "SIGHUP");
  await once(watcher, "close");
  expect(await say(helper, "PING")).toBe("+PONG\r\n");
});

test("redis-cli of a reader is answered like that of anybody", async () => {
  const agent = new HostAgent();
  cleanUps.push(() => agent.stop());
  const file = join(agent.directory, "users.toml");
  writeFileSync(file, USERS, { mode: 0o600 });
  await agent.start(`[endpoint]\nusers = "${file}"\n`);
  const args = ["-p", String(agent.port), "--user", "watcher", "--no-auth-warning"];
  const child = spawn("redis-cli", args, {
    env: { ...process.env, REDISCLI_AUTH: "watching words" },
  });
  child.stdin.end("ACL WHOAMI\nSET a b\ninfo.version\n");
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(child, "close");
  const [name, refusal, version] = Buffer.concat(chunks).toString().split("\n").filter(Boolean);
  expect(name).toBe("watcher");
  expect(refusal).toMatch(/^NOPERM/);
  expect(version).toContain("SUCCESS");
});
