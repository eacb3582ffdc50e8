import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stopChild } from "../stop-child.ts";
import { RawClient } from "./raw-client.ts";

const START_LIMIT_MS = 15_000;
const ROOT = join(import.meta.dirname, "../..");

/** A server under measurement: reachable and authenticated. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  readonly password: string;
  readonly pid: number;
}

/** Starts the agent in host mode from the bundle, as machines run it. */
export function startAgent(): Promise<Peer> {
  return startPeer((port, directory, passwordFile) => [
    join(ROOT, "bin/node0"),
    ["agent", "--host", "--listen", `127.0.0.1:${port}`, "--password-file", passwordFile].concat([
      "--state-dir",
      directory,
    ]),
  ]);
}

/** Starts Debian's redis-server with persistence off. */
export function startRedis(): Promise<Peer> {
  return startPeer((port, directory, passwordFile) => {
    const file = join(directory, "redis.conf");
    const lines = ["bind 127.0.0.1", `port ${port}`, 'save ""', `dir ${directory}`];
    writeFileSync(file, `${lines.join("\n")}\nrequirepass ${readSecret(passwordFile)}\n`, {
      mode: 0o600,
    });
    return ["redis-server", [file]];
  });
}

const secrets = new Map<string, string>();

function readSecret(file: string): string {
  return secrets.get(file) ?? "";
}

async function startPeer(
  command: (port: number, directory: string, passwordFile: string) => [string, string[]],
): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), "node0-bench-"));
  const passwordFile = join(directory, "password");
  const password = randomBytes(16).toString("hex");
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  secrets.set(passwordFile, password);
  const port = await freePort();
  const [program, args] = command(port, directory, passwordFile);
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  const stop = async () => {
    await stopChild(child);
    rmSync(directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const client = await RawClient.connect(port).catch(() => undefined);
    if (client !== undefined) {
      await client.send([["AUTH", password]]);
      client.close();
      break;
    }
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`Cannot start ${program}: ${complaint || "no answer"}`);
    }
    await sleep(20);
  }
  return { port, password, pid: child.pid ?? 0, [Symbol.asyncDispose]: stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
