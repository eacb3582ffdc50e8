import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What `version.json` beside the bundle holds. */
export interface BuildVersion {
  /** Branch name; empty when no branch is checked out. */
  readonly branch: string;
  /** Full commit id; empty outside a git checkout. */
  readonly revision: string;
  /** True when tracked files differ from the commit. */
  readonly dirty: boolean;
  /** Seconds since the epoch of the commit; 0 outside a git checkout. Never the time of the build. */
  readonly commitTime: number;
}

/** Reads the version of a checkout. A directory without git gives empty fields: a build from an archive works. */
export async function readBuildVersion(root: string): Promise<BuildVersion> {
  const git = async (...args: string[]): Promise<string> => {
    try {
      const { stdout } = await run("git", ["-C", root, ...args], { encoding: "utf8" });
      return stdout.trim();
    } catch {
      return "";
    }
  };
  const [branch, head, changes] = await Promise.all([
    git("branch", "--show-current"),
    git("show", "--no-patch", "--format=%H %ct", "HEAD"),
    git("status", "--porcelain", "--untracked-files=no"),
  ]);
  const [revision = "", seconds = "0"] = head.split(" ");
  return { branch, revision, dirty: changes !== "", commitTime: Number(seconds) };
}
