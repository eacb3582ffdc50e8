import type { Files } from "./files.ts";

/** One line of the mount table. */
export interface Mount {
  readonly mountpoint: string;
  readonly type: string;
  readonly source: string;
  readonly isReadOnly: boolean;
}

/** What is mounted in the agent's mount namespace, oldest first. */
export function readMounts(files: Files): Mount[] {
  return parseMountInfo(files.readText("/proc/self/mountinfo") ?? "");
}

/**
 * Parses mountinfo. Spaces and other separators inside names are written as octal escapes.
 *
 * Source: proc_pid_mountinfo(5). Optional fields end with a lone dash.
 */
export function parseMountInfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    const [mountpoint, options] = fields.slice(4, 6);
    const [type, source] = fields.slice(dash + 1);
    if (dash < 0 || mountpoint === undefined || type === undefined) continue;
    mounts.push({
      mountpoint: unescapeOctal(mountpoint),
      type,
      source: unescapeOctal(source ?? ""),
      isReadOnly: (options ?? "").split(",").includes("ro"),
    });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
