import { resolve } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { errorText } from "../../base/errors.ts";
import type { Client } from "../../client/client.ts";
import { formatEndpoint } from "../../client/errors.ts";
import { readRemoteFile } from "../../client/files.ts";
import { writeLocalFile } from "../fs/local-file.ts";
import type { Invocation } from "../invocation.ts";
import { readVersion } from "../version.ts";
import { redact, redactText } from "./redact.ts";
import { formatTar, type TarFile } from "./tar.ts";

/** Questions whose answers say everything, but for what may be secret. */
const QUESTIONS = [
  "info.version",
  "info.os",
  "info.cpu",
  "info.mem",
  "info.disk",
  "info.nic",
  "info.port",
  "info.dmi",
  "core.state",
  "boot.status",
  "net.status",
  "ip.link.list",
  "ip.route.list",
  "bridge.list",
  "nft.list",
  "socat.list",
  "disk.list",
  "disk.mounts",
  "btrfs.list",
  "cgroup.list",
  "zerotier.list",
  "aggregator.query",
  "rtinfo.list",
  "pprof.mem.stat",
  "config.get",
] as const;

/** Answers in which `key` is the name of a value, not a secret. */
const NAMED_VALUES = new Set<string>(["aggregator.query"]);

/** The log of an agent that is a machine's; one on a host writes to its standard error. */
const AGENT_LOG = "/run/node0/agent.log";
/** The end of the log is what tells why. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;
/** Disks can be slow to answer. */
const QUESTION_MS = 60_000;

/** Writes the archive, by default into the working directory under a name with time and host name. */
export async function writeBundle(invocation: Invocation, target?: string): Promise<void> {
  const { io } = invocation;
  const client = await invocation.connect();
  const now = new Date();
  const files = await collect(client, invocation.timeoutMs ?? QUESTION_MS, now);
  const bytes = await promisify(gzip)(formatTar(files, now.getTime() / 1000));
  if (target === "-") {
    await io.stdout.write(bytes);
    return;
  }
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const file = resolve(io.cwd, target ?? `node0-support-${stamp}.tar.gz`);
  await writeLocalFile(file, once(bytes), 0o600);
  await invocation.print({ file, files: files.map(({ name }) => name) }, () => `${file}\n`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}

async function collect(client: Client, timeoutMs: number, now: Date): Promise<TarFile[]> {
  const files: TarFile[] = [];
  const missing: Record<string, string> = {};
  const add = async (name: string, make: () => Promise<Uint8Array>): Promise<void> => {
    try {
      files.push({ name: `node0-support/${name}`, content: await make() });
    } catch (error) {
      missing[name] = redactText(errorText(error));
    }
  };
  const limits = { timeoutMs };
  for (const question of QUESTIONS) {
    await add(`${question}.json`, async () => {
      const value = await client.value(question as string, {}, limits);
      if (NAMED_VALUES.has(question)) return Buffer.from(redactText(json(value).toString()));
      return json(redact(value));
    });
  }
  await add("job.list.json", async () =>
    json((await client.value("job.list", {}, limits)).map(jobFacts)),
  );
  await add("process.list.json", async () =>
    json((await client.value("process.list", {}, limits)).map(({ cmdline: _, ...facts }) => facts)),
  );
  await add("agent.log", async () => {
    const text = new TextDecoder().decode(
      await lastBytes(readRemoteFile(client, AGENT_LOG, limits)),
    );
    return Buffer.from(redactText(text));
  });
  const manifest = {
    time: now.toISOString(),
    endpoint: formatEndpoint(client.endpoint),
    tool: await readVersion(),
    files: files.map(({ name }) => name),
    missing,
  };
  return [{ name: "node0-support/manifest.json", content: json(manifest) }, ...files];
}

/** What a job is, without what it was given. */
function jobFacts({ cmd, ...facts }: { readonly cmd: Readonly<Record<string, unknown>> }): object {
  const { arguments: args, ...command } = cmd;
  const { name } = (args ?? {}) as { readonly name?: unknown };
  return {
    ...facts,
    cmd: command["command"] === "core.system" ? { ...command, program: name } : command,
  };
}

async function lastBytes(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let kept: Uint8Array = new Uint8Array();
  for await (const bytes of content) {
    kept = Buffer.concat([kept, bytes]).subarray(-MAX_LOG_BYTES);
  }
  return kept;
}

const json = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
