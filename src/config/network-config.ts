import type { Files } from "../sys/files.ts";
import { DEFAULT_NETWORK_CONFIG, type LoadedNetworkConfig } from "./network-types.ts";

/**
 * Reads `net.toml`. A missing file means defaults. Nothing in the file can stop the boot: a mistake is
 * a problem in the result, and a file with one inside an interface sets up no interface.
 */
export async function loadNetworkConfig(files: Files, file: string): Promise<LoadedNetworkConfig> {
  const text = files.readText(file);
  if (text === undefined) {
    const isPresent = files.exists(file);
    const problems = isPresent ? [`Cannot read ${file}: not a readable file, expected TOML`] : [];
    return { file, isPresent, config: DEFAULT_NETWORK_CONFIG, problems };
  }
  // Loading the parser for a file of comments would only cost boot time.
  if (!hasContent(text)) {
    return { file, isPresent: true, config: DEFAULT_NETWORK_CONFIG, problems: [] };
  }
  const { parseNetworkConfig } = await import("./network-config-parse.ts");
  return parseNetworkConfig(text, file);
}

function hasContent(text: string): boolean {
  return text.split("\n").some((line) => /^\s*[^\s#]/.test(line));
}
