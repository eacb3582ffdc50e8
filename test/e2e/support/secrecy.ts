import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SearchInput, SearchResult } from "../../fixtures/secret-search.ts";
import { ROOT } from "../support.ts";
import type { SshTarget } from "./ssh.ts";

/** A heap snapshot of an emulated machine takes its time. */
const LIMIT_MS = 300_000;
const SEARCH = join(ROOT, "test/fixtures/secret-search.ts");

/**
 * Runs a program on the machine that gets its text on standard input: nothing of it is in a command line there,
 * and nothing passes through the agent.
 */
export async function runThere(
  { port, identity, knownHosts, alias }: SshTarget,
  program: string,
  input: string,
): Promise<string> {
  const settings = [
    ...["IdentitiesOnly=yes", "IdentityAgent=none", `IdentityFile=${identity}`],
    ...[`UserKnownHostsFile=${knownHosts}`, "GlobalKnownHostsFile=/dev/null"],
    ...["StrictHostKeyChecking=yes", `HostKeyAlias=${alias}`],
  ].flatMap((setting) => ["-o", setting]);
  const words = ["-F", "/dev/null", ...settings, "-p", String(port), "root@127.0.0.1", program];
  const child = spawn("ssh", words, { stdio: "pipe", timeout: LIMIT_MS });
  const output = { out: "", err: "" };
  child.stdout.on("data", (part: Buffer) => {
    output.out += part.toString();
  });
  child.stderr.on("data", (part: Buffer) => {
    output.err += part.toString();
  });
  child.stdin.on("error", () => undefined); // it ended early: its status tells
  child.stdin.end(input);
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new Error(`${program}: ${status}: ${output.err}`);
  return output.out;
}

/** Searches the machine for byte strings, see `test/fixtures/secret-search.ts`. */
export async function searchMachine(
  target: SshTarget,
  needles: Readonly<Record<string, Buffer>>,
): Promise<SearchResult> {
  const input: SearchInput = {
    needles: Object.fromEntries(
      Object.entries(needles).map(([name, bytes]) => [name, bytes.toString("hex")]),
    ),
    agent: "/usr/lib/node0/agent.cjs",
  };
  const program = `const INPUT = ${JSON.stringify(input)};\n${readFileSync(SEARCH, "utf8")}`;
  const words = "node --no-warnings --input-type=module-typescript -";
  return JSON.parse(await runThere(target, words, program)) as SearchResult;
}
