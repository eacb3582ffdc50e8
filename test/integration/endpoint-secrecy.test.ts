import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RawConnection, request } from "./support/raw-connection.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");
const PASSWORD = `right-${randomBytes(12).toString("hex")}`;
const WRONG = `wrong-${randomBytes(12).toString("hex")}`;
const CONTROL = `control-${randomBytes(12).toString("hex")}`;
const OK = "+OK\r\n";

let directory: string;
let agent: ChildProcess;
let port: number;
let log = "";

beforeEach(async () => {
  log = "";
  directory = mkdtempSync(join(tmpdir(), "node0-secrecy-"));
  port = await freePort();
  const passwordFile = join(directory, "password");
  writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
  const options = ["agent", "--host", "--listen", `127.0.0.1:${port}`, "--log-level", "debug"];
  const paths = ["--password-file", passwordFile, "--state-dir", join(directory, "state")];
  const flags = ["--heapsnapshot-signal=SIGUSR2", `--diagnostic-dir=${directory}`];
  agent = spawn(process.execPath, [...flags, MAIN, ...options, ...paths], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  agent.stderr?.on("data", (part: Buffer) => {
    log += part.toString();
  });
  await expect.poll(() => log, { timeout: 20_000 }).toContain('"agent ready"');
});
afterEach(async () => {
  const ended = once(agent, "exit");
  agent.kill("SIGKILL");
  await ended;
  rmSync(directory, { recursive: true });
});

/** Presents a password in every way there is, in one piece and byte by byte. */
async function present(password: string): Promise<void> {
  const ways = [
    request("AUTH", password),
    request("AUTH", "default", password),
    request("HELLO", "3", "AUTH", "default", password, "SETNAME", "me"),
    `AUTH ${password}\r\n`,
    `auth "default" '${password}'\r\n`,
  ];
  for (const bytes of ways) {
    const client = await RawConnection.open(port);
    const half = Math.floor(bytes.length / 2);
    for (const piece of [bytes.slice(0, half), bytes.slice(half)]) {
      client.send(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const answer = await client.until((received) => received.endsWith("\r\n"));
    expect(answer).toMatch(password === PASSWORD ? /^(\+OK|%7)\r\n/ : /^-WRONGPASS /);
    client.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return free;
}

/** All strings of the agent's heap, and more. */
async function snapshot(): Promise<string> {
  agent.kill("SIGUSR2");
  const read = (): string => {
    const name = readdirSync(directory).find((file) => file.endsWith(".heapsnapshot"));
    return name === undefined ? "" : readFileSync(join(directory, name), "latin1");
  };
  // Its last line closes the list of strings.
  await expect.poll(() => read().trimEnd().slice(-2), { timeout: 30_000 }).toBe("]}");
  return read();
}

test("what clients present is in no string of the agent and in no line of its log", async () => {
  await present(WRONG);
  await present(PASSWORD);
  const client = await RawConnection.open(port);
  // Somebody who went away in the middle of it.
  client.send(request("AUTH", PASSWORD).slice(0, -4));
  const member = await RawConnection.open(port);
  await member.exchange(request("AUTH", PASSWORD) + request("SET", "k", CONTROL), OK + OK);
  client.close();
  const heap = await snapshot();
  member.close();
  const found = [CONTROL, PASSWORD, WRONG].filter((text) => heap.includes(text));
  expect(found).toEqual([CONTROL]);
  expect(log).toContain("authentication failed");
  expect([PASSWORD, WRONG].filter((text) => log.includes(text))).toEqual([]);
}, 90_000);

test("what clients present is nowhere in the memory of the agent soon after", async () => {
  const client = await RawConnection.open(port);
  await client.exchange(request("AUTH", PASSWORD) + request("SET", "control", CONTROL), OK + OK);
  await present(WRONG);
  await present(PASSWORD);
  expect(inMemory(CONTROL)).toBeGreaterThan(0);
  // Freed memory the last bytes were received in is used again by the next ones.
  await expect
    .poll(
      async () => {
        client.send(request("PING", "x".repeat(200)));
        await new Promise((resolve) => setTimeout(resolve, 50));
        return [inMemory(PASSWORD), inMemory(WRONG)];
      },
      { timeout: 20_000, interval: 200 },
    )
    .toEqual([0, 0]);
  client.close();
});

/** How often a text stands in what the agent can read of its own memory. */
function inMemory(text: string): number {
  const maps = readFileSync(`/proc/${agent.pid}/maps`, "utf8").split("\n");
  const memory = openSync(`/proc/${agent.pid}/mem`, "r");
  let found = 0;
  for (const line of maps) {
    const [, from = "", to = "", access = "", name = ""] =
      /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    if (!access.startsWith("rw") || name.startsWith("[v")) continue;
    const start = Number.parseInt(from, 16);
    const bytes = Buffer.alloc(Number.parseInt(to, 16) - start);
    try {
      readSync(memory, bytes, 0, bytes.length, start);
    } catch {
      continue; // Reserved by V8 and never used.
    }
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) found += 1;
  }
  closeSync(memory);
  return found;
}
