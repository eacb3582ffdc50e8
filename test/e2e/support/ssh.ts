import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { COMMAND_LIMIT_MS } from "../support.ts";

/** How an operator reaches sshd of a machine. */
export interface SshTarget {
  /** On the loopback of this host. */
  readonly port: number;
  /** Private key. */
  readonly identity: string;
  readonly knownHosts: string;
  /** Name of the machine in `knownHosts`. */
  readonly alias: string;
}

export interface SshEnd {
  readonly status: number | null;
  /** What both sides said. */
  readonly output: string;
}

/** Runs one command on the machine with the ssh of this host. No file of the user counts. */
export async function ssh(
  target: SshTarget,
  command: string,
  options: readonly string[] = [],
): Promise<SshEnd> {
  const child = spawn("ssh", sshWords(target, command, options), {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: COMMAND_LIMIT_MS,
  });
  const output = collect(child);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, output: output() };
}

/** A session that stays: what is written to it comes back. */
export class SshSession {
  readonly #child: ChildProcess;
  readonly #output: () => string;

  constructor(target: SshTarget) {
    this.#child = spawn("ssh", sshWords(target, "exec cat", []), {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#output = collect(this.#child);
    // A session that ended shows in what it does not say.
    this.#child.stdin?.on("error", () => undefined);
  }

  /** All that came back. */
  get output(): string {
    return this.#output();
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill();
    await ended;
  }
}

function sshWords(
  { port, identity, knownHosts, alias }: SshTarget,
  command: string,
  options: readonly string[],
): string[] {
  const settings = [
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    `IdentityFile=${identity}`,
    `UserKnownHostsFile=${knownHosts}`,
    "GlobalKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=yes",
    `HostKeyAlias=${alias}`,
    "NumberOfPasswordPrompts=0",
  ];
  const words = [...options, ...settings].flatMap((setting) => ["-o", setting]);
  return ["-F", "/dev/null", ...words, "-p", String(port), "root@127.0.0.1", command];
}

function collect({ stdout, stderr }: ChildProcess): () => string {
  let output = "";
  for (const stream of [stdout, stderr]) {
    stream?.on("data", (part: Buffer) => {
      output += part.toString();
    });
  }
  return () => output;
}
