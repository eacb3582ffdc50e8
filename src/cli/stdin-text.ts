import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { AgentError, errorText } from "../base/errors.ts";
import type { Io } from "./io.ts";

/**
 * Text of a file, or of standard input for `-`.
 *
 * @throws AgentError `E_INPUT` when it cannot be read or is not UTF-8: a job's input travels as text.
 */
export async function readText(io: Io, file: string): Promise<string> {
  const name = file === "-" ? "standard input" : file;
  let bytes: Uint8Array;
  try {
    bytes = file === "-" ? await io.readStdin() : await readFile(resolve(io.cwd, file));
  } catch (cause) {
    throw new AgentError("E_INPUT", `Cannot read ${name}: ${errorText(cause)}`, { cause });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new AgentError("E_INPUT", `Cannot send ${name}: it is not UTF-8 text`, { cause });
  }
}
