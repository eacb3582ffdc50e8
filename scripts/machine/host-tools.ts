import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { AgentError } from "../../src/base/errors.ts";

/** Programs that make a private configuration, and the Debian packages they are in. */
const TOOLS = {
  gocryptfs: "gocryptfs",
  fusermount3: "fuse3",
  "ssh-keygen": "openssh-client",
} as const;

const DEVICE = "/dev/fuse";

/**
 * Checks that this host can make a private configuration.
 *
 * @throws AgentError `E_HOST_TOOLS` naming each package that is missing.
 */
export function requireHostTools(path = process.env["PATH"] ?? "", device: string = DEVICE): void {
  const missing = Object.entries(TOOLS)
    .filter(([program]) => !isInPath(program, path))
    .map(([program, name]) => `no ${program} (package ${name})`);
  if (!may(device, constants.R_OK | constants.W_OK)) {
    missing.push(`no ${device} this user may open (kernel module fuse)`);
  }
  if (missing.length === 0) return;
  throw new AgentError(
    "E_HOST_TOOLS",
    `Cannot make a private configuration: ${missing.join(", ")}; --no-controller does without`,
  );
}

function isInPath(program: string, path: string): boolean {
  return path.split(delimiter).some((directory) => may(join(directory, program), constants.X_OK));
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
