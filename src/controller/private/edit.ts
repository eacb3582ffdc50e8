import { once } from "node:events";
import type { constants } from "node:os";
import { join } from "node:path";
import { formatManifest, MANIFEST_PATH, parseManifest } from "../../vault/private-manifest.ts";
import type { UstarEntry } from "../../vault/ustar.ts";
import { placeTree, readTree } from "../../vault/ustar-tree.ts";
import type { PrivateContext } from "./context.ts";
import { privateError } from "./errors.ts";
import { mountPlain } from "./gocryptfs.ts";
import { openStore } from "./open-store.ts";
import { seal } from "./seal.ts";
import { uploadPrivate } from "./upload.ts";
import { openWorkDirectory } from "./work-directory.ts";

export interface EditOptions {
  readonly directory: string;
  /** Runs in the directory of the plain files. */
  readonly command: readonly string[];
  readonly mustUpload: boolean;
}

/**
 * Lets a command change the files of a private configuration. It sees them through gocryptfs, so
 * that what editors write beside a file is encrypted too. A command that fails, or files that do
 * not make a good configuration, change nothing.
 */
export async function editPrivate(options: EditOptions, context: PrivateContext): Promise<void> {
  const { directory, command } = options;
  {
    await using work = await openWorkDirectory();
    const { stored, entries: before } = await openStore(directory, {
      work,
      signal: context.signal,
    });
    const ciphertext = join(work.makeDirectory("edited"), "ciphertext");
    placeTree(stored.ciphertext, ciphertext);
    let after: UstarEntry[];
    {
      await using mount = await mountPlain({
        ciphertext,
        mountpoint: work.makeDirectory("edit"),
        key: stored.key,
        isReadOnly: false,
        ...(context.signal ? { signal: context.signal } : {}),
      });
      await runCommand(command, { directory: mount.path, temporary: work.path, context });
      after = readTree(mount.path);
    }
    const changes = listChanges(before, after);
    if (changes.length === 0) {
      context.say("nothing was changed");
      return;
    }
    for (const change of changes) context.say(change);
    const { node, macs, retiredSerials } = stored.record;
    const { key, access } = stored;
    await seal(
      { directory, node, macs, retiredSerials, key, entries: after, access },
      { work, context },
    );
  }
  if (options.mustUpload) await uploadPrivate(directory, context);
}

async function runCommand(
  [program = "", ...args]: readonly string[],
  {
    directory,
    temporary,
    context,
  }: { readonly directory: string; readonly temporary: string; readonly context: PrivateContext },
): Promise<void> {
  const { spawn } = await import("node:child_process");
  context.signal?.throwIfAborted();
  const child = spawn(program, args, {
    cwd: directory,
    // The command is the operator's own: it has the operator's environment and terminal.
    env: { ...process.env, TMPDIR: temporary },
    stdio: "inherit",
    ...(context.signal ? { signal: context.signal } : {}),
  });
  let ended: unknown[];
  try {
    ended = await once(child, "exit");
  } catch (error) {
    context.signal?.throwIfAborted();
    const code = (error as NodeJS.ErrnoException).code;
    throw privateError(`Cannot run ${program}: ${code}, expected a program`);
  }
  const [code, signal] = ended as [number | null, keyof typeof constants.signals | null];
  if (code === 0) return;
  const seen = code === null ? `signal ${signal}` : `exit code ${code}`;
  throw privateError(
    `Cannot edit: ${program} ended with ${seen}, expected success; nothing changed`,
  );
}

function listChanges(before: readonly UstarEntry[], after: readonly UstarEntry[]): string[] {
  const [old, fresh] = [digests(before), digests(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((path) => old.get(path) !== fresh.get(path))
    .map((path) => {
      if (!fresh.has(path)) return `removed ${path}`;
      return `${old.has(path) ? "changed" : "added"} ${path}`;
    });
}

function digests(entries: readonly UstarEntry[]): Map<string, string> {
  const files = entries.filter(({ path }) => path !== MANIFEST_PATH);
  return parseManifest(formatManifest(files)) ?? new Map();
}
