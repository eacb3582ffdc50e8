import { readdir } from "node:fs/promises";
import { errorCode } from "../base/errors.ts";
import { slowFiles } from "../sys/slow-files.ts";

/** No private configuration holds more files. */
const MAX_NAMES = 1000;

/**
 * Names in one directory of the private configuration, sorted; none where there is no such directory.
 *
 * @throws AgentError `E_VAULT_FILE` when the listing does not come; the system error when it fails.
 */
export function listPrivate(directory: string, path: string): Promise<string[]> {
  return slowFiles.read({
    path,
    code: "E_VAULT_FILE",
    work: async () => {
      try {
        return (await readdir(`${directory}/${path}`)).sort().slice(0, MAX_NAMES);
      } catch (error) {
        if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return [];
        throw error;
      }
    },
  });
}
