import { join, relative } from "node:path";
import type { UpOptions } from "./up-options.ts";
import { CONTEXT, type UpRecord } from "./up-record.ts";

export interface Report {
  readonly options: Pick<UpOptions, "stateDirectory" | "isForeground">;
  /** Null for a machine that cannot be reached. */
  readonly answeredMs: number | null;
  /** Directory of the checkout, and the one the reader types in. Absolute. */
  readonly root: string;
  readonly cwd: string;
}

/** The closing lines of `scripts/up`: how to reach the machine and how to stop it, ready to copy. */
export function formatReport({ redis, serialLog }: UpRecord, report: Report): string {
  const { options, answeredMs, root, cwd } = report;
  const near = (path: string): string => {
    const way = relative(cwd, path);
    return way.startsWith("../..") ? path : way;
  };
  const { stateDirectory } = options;
  const program = (name: string): string => near(join(root, name));
  const context =
    stateDirectory === null ? "" : ` --context ${near(join(stateDirectory, CONTEXT))}`;
  const state = stateDirectory === null ? "" : ` --state ${near(stateDirectory)}`;
  const reach =
    redis === null
      ? []
      : [
          `  REDISCLI_AUTH=$(cat ${near(redis.passwordFile)}) redis-cli -p ${redis.port} core.ping`,
          `  ${program("bin/node0")} status${context}`,
        ];
  return [
    answeredMs === null
      ? "up: running, not reachable: the machine has no network card"
      : `up: answered ${(answeredMs / 1000).toFixed(1)} s after start`,
    "",
    ...reach,
    `  tail -f ${near(serialLog)}`,
    `  ${options.isForeground ? "Ctrl-C" : `${program("scripts/down")}${state}`}    # stops the machine`,
    "",
  ].join("\n");
}
