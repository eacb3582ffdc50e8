import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { AgentError, errorCode } from "../base/errors.ts";
import { fileError } from "./file-errors.ts";
import { resolvePath } from "./file-paths.ts";

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Opens a file to be written from its beginning: a new one, or an existing one that is emptied. Never
 * a device, nor a FIFO whose reader one would wait for.
 *
 * @param mode For a new file, less the umask.
 * @throws AgentError `E_FILE`
 */
export async function openOutputFile(given: string, mode: number): Promise<FileHandle> {
  const path = resolvePath("write", given);
  try {
    // Opening alone makes some devices act, so it is looked at before, and for certain afterwards.
    if (await isOther(path)) throw noFile(given);
    const handle = await open(path, FLAGS, mode);
    try {
      if (!(await handle.stat()).isFile()) throw noFile(given);
      await handle.truncate(0);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw error instanceof AgentError ? error : fileError("write", given, error);
  }
}

async function isOther(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

function noFile(path: string): AgentError {
  return fileError("write", path, "no regular file seen, expected one or none");
}
