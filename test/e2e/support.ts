import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { join } from "node:path";
import { Redis } from "ioredis";
import { ensureImage, type ImageFiles } from "../../scripts/machine/image.ts";
import type { Machine } from "../../scripts/machine/machine.ts";
import type { MachineOptions } from "../../scripts/machine/options.ts";
import { startMachine } from "../../scripts/machine/start-machine.ts";
import type { JobResult } from "../../src/job/types.ts";
import { probeAcceleration } from "../../src/vm/accel.ts";

export const ROOT = join(import.meta.dirname, "../..");

/** Emulated processors on a busy host: a boot that takes 6 s alone may take ten times as long. */
export const BOOT_LIMIT_MS = 120_000;
export const COMMAND_LIMIT_MS = 60_000;

/** A password of this run only. */
export const PASSWORD = randomBytes(18).toString("base64url");

/** Boots the image of this checkout; the caller stops the machine. */
export async function startNode(options: Partial<MachineOptions> = {}): Promise<Machine> {
  const cachePath = join(ROOT, ".node0/cache/accel.json");
  const [{ accel }, image] = [
    await probeAcceleration({ cachePath }),
    options.initrd === undefined ? await ensureImage(ROOT) : ({} as Partial<ImageFiles>),
  ];
  return await startMachine({
    accel,
    kernel: image.kernel ?? "",
    initrd: image.initrd ?? "",
    password: PASSWORD,
    ...options,
  });
}

/**
 * Opens a client as an application would; it neither reconnects nor repeats by itself.
 *
 * @param target A machine on its loopback port, or the Unix socket that leads to one.
 */
export function openClient(
  target: { readonly port: number } | { readonly path: string },
  password = PASSWORD,
): Redis {
  const client = new Redis({
    ...("path" in target ? { path: target.path } : { port: target.port, host: "127.0.0.1" }),
    password,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    lazyConnect: true,
    commandTimeout: COMMAND_LIMIT_MS,
  });
  // Each command reports the loss of the connection on its own.
  client.on("error", () => undefined);
  return client;
}

/** Runs a command in its direct form and returns its whole result. */
export async function call(client: Redis, command: string, args: object = {}): Promise<JobResult> {
  return JSON.parse(String(await client.call(command, JSON.stringify(args)))) as JobResult;
}

/** Runs a shell script on the machine and returns what it printed. */
export async function shell(client: Redis, script: string): Promise<string> {
  const { state, streams, data } = await call(client, "bash", { script });
  if (state !== "SUCCESS") throw new Error(`${script}: ${state} ${data} ${streams?.join(" ")}`);
  return streams?.[0] ?? "";
}

/**
 * Sends requests over a bare connection and returns every line that came back until the machine
 * closed the connection or sent as many lines as there were requests.
 */
export function exchange(port: number, requests: readonly string[]): Promise<string[]> {
  return new Promise((resolve) => {
    let text = "";
    const lines = (): string[] => text.split("\r\n").slice(0, -1);
    const socket = connect(port, "127.0.0.1", () => socket.write(`${requests.join("\r\n")}\r\n`));
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (lines().length >= requests.length) socket.destroy();
    });
    // A refused or reset connection closes as well, and "nothing came back" is an answer here.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(lines()));
  });
}
