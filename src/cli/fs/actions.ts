import { basename, posix, resolve } from "node:path";
import { AgentError } from "../../base/errors.ts";
import { readRemoteFile, writeRemoteFile } from "../../client/files.ts";
import type { Invocation } from "../invocation.ts";
import { formatTable } from "../table.ts";
import { formatBytes } from "../units.ts";
import { readLocalFile, writeLocalFile } from "./local-file.ts";

/** @throws JobError | AgentError when it cannot be done. */
export async function runFileAction(
  invocation: Invocation,
  request: { readonly action: string; readonly words: readonly string[]; readonly mode: number },
): Promise<void> {
  const [path = "/", target] = request.words;
  switch (request.action) {
    case "ls":
      return await list(invocation, path);
    case "cat":
      return await send(invocation, path, "-");
    case "get":
      return await send(invocation, path, target ?? posix.basename(path));
    case "put":
      return await put(invocation, { source: path, target: target ?? "", mode: request.mode });
    case "rm":
      return await remove(invocation, path);
    default: {
      const client = await invocation.connect();
      await client.value("filesystem.mkdir", { path }, invocation.limits);
    }
  }
}

async function list(invocation: Invocation, path: string): Promise<void> {
  const client = await invocation.connect();
  const entries = await client.value("filesystem.list", { path }, invocation.limits);
  await invocation.print(entries, () =>
    formatTable(
      ["MODE", "SIZE", "NAME"],
      entries.map(({ name, size, mode, is_dir: isDirectory }) => [
        `${isDirectory ? "d" : "-"}${permissions(mode)}`,
        isDirectory ? "-" : formatBytes(size),
        isDirectory ? { text: `${name}/`, style: "bold" } : name,
      ]),
      invocation.paint,
    ),
  );
}

/** `644` as `rw-r--r--`. */
function permissions(mode: number): string {
  return [...(mode & 0o777).toString(8).padStart(3, "0")]
    .map((digit) => {
      const bits = Number(digit);
      return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${bits & 1 ? "x" : "-"}`;
    })
    .join("");
}

async function send(invocation: Invocation, path: string, target: string): Promise<void> {
  const client = await invocation.connect();
  const content = readRemoteFile(client, path, { timeoutMs: invocation.timeoutMs });
  if (target !== "-") {
    await writeLocalFile(resolve(invocation.io.cwd, target), content);
    return;
  }
  for await (const bytes of content) await invocation.io.stdout.write(bytes);
}

async function put(
  invocation: Invocation,
  { source, target, mode }: { source: string; target: string; mode: number },
): Promise<void> {
  const { io, timeoutMs } = invocation;
  const name = source === "-" ? "" : basename(source);
  if (target.endsWith("/") && name === "") {
    throw new AgentError("E_INPUT", `Cannot write ${target}: expected the name of a file`);
  }
  const path = target.endsWith("/") ? `${target}${name}` : target;
  const client = await invocation.connect();
  const content = source === "-" ? io.streamStdin() : readLocalFile(resolve(io.cwd, source));
  await writeRemoteFile(client, path, content, { mode, timeoutMs });
}

/** `filesystem.remove` takes whole trees and what is not there; people mean one file that is. */
async function remove(invocation: Invocation, path: string): Promise<void> {
  const client = await invocation.connect();
  const full = posix.resolve("/", path);
  const parent = await client.value(
    "filesystem.list",
    { path: posix.dirname(full) },
    invocation.limits,
  );
  const entry = parent.find(({ name }) => name === posix.basename(full));
  if (entry === undefined) {
    throw new AgentError("E_INPUT", `Cannot remove ${full}: there is no such file`);
  }
  if (entry.is_dir && !invocation.input.flag("recursive")) {
    throw new AgentError(
      "E_INPUT",
      `Cannot remove ${full}: it is a directory; --recursive removes it with everything in it`,
    );
  }
  await client.value("filesystem.remove", { path: full }, { timeoutMs: invocation.timeoutMs });
}
