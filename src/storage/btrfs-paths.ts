import { AgentError } from "../base/errors.ts";
import { shown } from "./block-device.ts";

/** Longest path the kernel takes, without the NUL. */
const LONGEST_PATH = 4095;

/**
 * Checks a path that becomes the argument of a program.
 *
 * @throws AgentError `E_PATH` for an empty or relative one, and for one with a NUL or a line end.
 */
export function requireAbsolute(name: string, path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (path.startsWith("/") && path.length <= LONGEST_PATH && !/[\x00\n\r]/.test(path)) return path;
  throw new AgentError(
    "E_PATH",
    `Cannot use ${name}: ${shown(path)} seen, expected an absolute path`,
  );
}
