import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Version } from "./api/services.ts";

export const RELEASE = "0.1.0";

/** What this program is. */
export interface AgentVersion {
  readonly version: Version;
  /** Release, branch and revision. */
  readonly text: string;
  /** Time of the commit, milliseconds since the epoch; null for a source tree. */
  readonly builtAtMs: number | null;
}

export function agentVersion(): AgentVersion {
  const { commitTime, ...version } = readVersion();
  return {
    version,
    text: `${RELEASE} ${version.branch} ${version.revision.slice(0, 12)}`.trim(),
    builtAtMs: commitTime > 0 ? commitTime * MS_PER_SECOND : null,
  };
}

const MS_PER_SECOND = 1000;

/** Stamped beside the bundle; a source tree is always a version of its own. Seconds, 0: unknown. */
function readVersion(): Version & { readonly commitTime: number } {
  try {
    const text = readFileSync(join(import.meta.dirname, "version.json"), "utf8");
    return JSON.parse(text) as Version & { readonly commitTime: number };
  } catch {
    return { branch: "source", revision: "unknown", dirty: true, commitTime: 0 };
  }
}
