import { chmod, chown, mkdir, realpath, rename, stat } from "node:fs/promises";
import { errorCode, errorText } from "../base/errors.ts";
import { FileDescriptors } from "./file-descriptors.ts";
import { fileError } from "./file-errors.ts";
import { listDirectory } from "./file-list.ts";
import { findOwner } from "./file-owners.ts";
import { findPlace, resolvePath } from "./file-paths.ts";
import type { FileCall, FileReply, FileRequest } from "./file-requests.ts";
import { changeTree, removeTree, setMode, setOwner } from "./file-tree.ts";

/** Often enough for whoever waits, see `file-process.ts`. */
const PROGRESS_MS = 1000;

/**
 * The process that works on files for the agent: what hangs in a dead file system is one of its
 * threads, and it can be killed. It answers over the channel it was started with and ends with it.
 */
export async function runFileHelper(): Promise<number> {
  if (process.send === undefined) {
    process.stderr.write("node0: file-helper is started by the agent, expected no other caller\n");
    return 2;
  }
  const descriptors = new FileDescriptors(() => say({ open: descriptors.count }));
  process.on("message", (call: FileCall) => void answer(descriptors, call));
  // Not process.exit(), which waits for threads that hang.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  say({ open: 0 });
  return await new Promise(() => {});
}

async function answer(descriptors: FileDescriptors, { id, request }: FileCall): Promise<void> {
  let toldMs = performance.now();
  const step = (): void => {
    const nowMs = performance.now();
    if (nowMs - toldMs < PROGRESS_MS) return;
    toldMs = nowMs;
    say({ id, progress: true });
  };
  try {
    const value = (await perform(descriptors, request, step)) ?? null;
    say({ id, open: descriptors.count, value });
  } catch (error) {
    say({ id, open: descriptors.count, error: errorText(error) });
  }
}

function say(reply: FileReply): void {
  // False after the agent has gone, and then nobody reads it.
  if (process.connected) process.send?.(reply);
}

function perform(
  descriptors: FileDescriptors,
  request: FileRequest,
  step: () => void,
): Promise<unknown> {
  switch (request.do) {
    case "open":
      return descriptors.open(request.path, request.mode, request.perm);
    case "read":
      return descriptors.read(request.fd);
    case "write":
      return descriptors.write(request.fd, request.block);
    case "close":
      return descriptors.close(request.fd);
    case "mkdir":
      return attempt("create directory", request.path, (path) =>
        mkdir(path, { recursive: true, mode: 0o755 }).then(() => undefined),
      );
    case "exists":
      return exists(request.path);
    case "list":
      return listDirectory(resolvePath("list", request.path), step);
    case "remove":
      return remove(request.path, step);
    case "move":
      return move(request.path, request.destination);
    case "chmod":
    case "chown":
      return change(request, step);
  }
}

async function exists(given: string): Promise<boolean> {
  try {
    await stat(resolvePath("look at", given));
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "E_FILE") throw error;
    // Everything else means that it cannot be told.
    return code !== "ENOENT" && code !== "ENOTDIR";
  }
}

async function remove(given: string, step: () => void): Promise<void> {
  const place = await findPlace("remove", given);
  if (place !== undefined) await removeTree(place, { step });
}

async function move(given: string, destination: string): Promise<void> {
  const place = await findPlace("move", given);
  if (place === undefined) throw fileError("move", given, "ENOENT, no such file or directory");
  const target = resolvePath("move to", destination);
  await attempt("move", given, () => rename(place.path, target));
}

type Changing = Extract<FileRequest, { readonly do: "chmod" | "chown" }>;

async function change(request: Changing, step: () => void): Promise<void> {
  const verb = request.do === "chmod" ? "change the mode of" : "change the owner of";
  const path = resolvePath(verb, request.path);
  // A slip of the pen that nobody could repair.
  if (request.recursive && (await realpath(path).catch(() => path)) === "/") {
    throw fileError(verb, request.path, "the root with all below it seen, expected a part of it");
  }
  if (request.do === "chmod") {
    const mode = request.mode & 0o777;
    if (request.recursive) await changeTree(path, setMode(mode), { step });
    else await attempt(verb, path, () => chmod(path, mode));
    return;
  }
  const owner = await findOwner(request.user, request.group);
  if (request.recursive) await changeTree(path, setOwner(owner), { step });
  else await attempt(verb, path, () => chown(path, owner.uid, owner.gid));
}

async function attempt<T>(
  verb: string,
  given: string,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const path = resolvePath(verb, given);
  try {
    return await work(path);
  } catch (error) {
    throw fileError(verb, path, error);
  }
}
