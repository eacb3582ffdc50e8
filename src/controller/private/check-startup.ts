import { parseFile } from "../../startup/parse-file.ts";
import { PRIVATE_FILES } from "../../vault/controller-api.ts";
import type { PlainTree } from "./plain-tree.ts";

/** What a machine reads of one file. */
const MAX_BYTES = 256 * 1024;

/**
 * Checks the start-up files of a private configuration, each by itself: what its services wait for may stand in
 * the image.
 *
 * @returns What is wrong, one text each.
 */
export function checkStartup(tree: PlainTree): string[] {
  const paths = tree.files().filter((path) => {
    const [directory, name, ...below] = path.split("/");
    const isInside = directory === PRIVATE_FILES.startupDirectory && below.length === 0;
    return isInside && name?.endsWith(".toml") === true;
  });
  return paths.flatMap((path) => {
    const text = tree.text(path) ?? "";
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_BYTES) return [`${path}: ${bytes} bytes seen, expected at most ${MAX_BYTES}`];
    return parseFile({ file: path, text }).problems;
  });
}
