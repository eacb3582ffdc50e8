import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AgentError, errorCode, errorText } from "../base/errors.ts";
import { SlowFiles } from "../sys/slow-files.ts";

/** A configuration file as it was read. */
export interface StartupText {
  /** As messages name it. */
  readonly file: string;
  readonly text: string;
}

export interface StartupPlace {
  /** A file, or a directory whose `*.toml` are read in the order of their names. */
  readonly path: string;
  /** As messages name it; default: the path. */
  readonly shown?: string;
  /** False: it may be missing. */
  readonly isRequired: boolean;
}

const MAX_FILES = 500;
const MAX_FILE_BYTES = 256 * 1024;
const MAX_ALL_BYTES = 8 * 1024 * 1024;
/** Each holds one of the four threads all files of the agent share. */
const MAX_SILENT = 2;
const SILENT = "E_STARTUP_SILENT";
const SUFFIX = ".toml";
const O_RDONLY = 0;
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;

/**
 * Reads configuration files without ever waiting for one: pipes, devices and sockets are not opened, and a
 * file system that does not answer is given up.
 */
export async function readTexts(
  places: readonly StartupPlace[],
): Promise<{ texts: StartupText[]; problems: string[] }> {
  const texts: StartupText[] = [];
  const problems: string[] = [];
  const into = { texts, problems, leftBytes: MAX_ALL_BYTES };
  let silent = 0;
  for (const place of places) {
    const shown = place.shown ?? place.path;
    if (silent >= MAX_SILENT) {
      problems.push(`Cannot read ${shown}: ${silent} file systems before it do not answer`);
      continue;
    }
    try {
      const work = (): Promise<void> => readPlace(place, shown, into);
      // Each by itself: one that does not answer keeps neither the others nor the unlock from reading.
      await new SlowFiles().read({ path: shown, code: SILENT, work });
    } catch (error) {
      if (errorCode(error) === SILENT) silent += 1;
      if (errorCode(error) === "ENOENT" && !place.isRequired) continue;
      problems.push(problemText(shown, error));
    }
  }
  return { texts, problems };
}

interface Into {
  readonly texts: StartupText[];
  readonly problems: string[];
  /** What may still be read. */
  leftBytes: number;
}

async function readPlace({ path }: StartupPlace, shown: string, into: Into): Promise<void> {
  const take = async (from: string, file: string): Promise<void> => {
    const content = await readFile(from);
    if (content.length > into.leftBytes) {
      throw new AgentError(
        "E_STARTUP_FILE",
        `more than ${MAX_ALL_BYTES} bytes in all files seen, expected fewer`,
      );
    }
    into.leftBytes -= content.length;
    into.texts.push({ file, text: content.toString("utf8") });
  };
  const status = await stat(path);
  if (!status.isDirectory()) {
    await take(path, shown);
    return;
  }
  const names = (await readdir(path)).filter((name) => name.endsWith(SUFFIX)).sort();
  if (names.length > MAX_FILES) {
    into.problems.push(
      `Cannot read all of ${shown}: ${names.length} files seen, expected at most ${MAX_FILES}`,
    );
  }
  for (const name of names.slice(0, MAX_FILES)) {
    const file = printable(`${shown}/${name}`);
    try {
      await take(join(path, name), file);
    } catch (error) {
      into.problems.push(problemText(file, error));
    }
  }
}

async function readFile(path: string): Promise<Buffer> {
  // To open a device may already do something, for example start a watchdog.
  requireFile(await stat(path));
  const handle = await open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    requireFile(await handle.stat());
    // A file may grow; what lies beyond the limit is not even asked for.
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > MAX_FILE_BYTES) throw tooLarge(`more than ${MAX_FILE_BYTES}`);
    return buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
}

function requireFile(status: { isFile(): boolean; size: number }): void {
  if (!status.isFile()) {
    throw new AgentError("E_STARTUP_FILE", "something else seen, expected a file");
  }
  if (status.size > MAX_FILE_BYTES) throw tooLarge(String(status.size));
}

const tooLarge = (bytes: string): AgentError =>
  new AgentError("E_STARTUP_FILE", `${bytes} bytes seen, expected at most ${MAX_FILE_BYTES}`);

function problemText(file: string, error: unknown): string {
  const code = errorCode(error);
  const text = errorText(error);
  if (text.startsWith("Cannot ")) return text;
  return `Cannot read ${file}: ${code === undefined || code.startsWith("E_") ? text : code}`;
}

/** File names may hold anything but a slash. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a console
const printable = (name: string): string => name.replaceAll(/[\0-\x1f\x7f-\x9f]/g, "?");
