import { join, relative } from "node:path";
import type { UpOptions } from "./up-options.ts";
import { CONTEXT, type UpRecord } from "./up-record.ts";

export interface Report {
  readonly options: Pick<UpOptions, "stateDirectory" | "isForeground">;
  /** Null for a machine that cannot be reached. */
  readonly answeredMs: number | null;
  /** Null for a machine without sshd. */
  readonly sshMs: number | null;
  /** Directory of the checkout, and the one the reader types in. Absolute. */
  readonly root: string;
  readonly cwd: string;
}

/** The closing lines of `scripts/up`: how to reach the machine and how to stop it, ready to copy. */
export function formatReport(record: UpRecord, report: Report): string {
  const { redis, ssh, controller, serialLog } = record;
  const { options, root, cwd } = report;
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
  const page =
    controller === null
      ? []
      : [`  ${controller.page}    # machines; the token: cat ${near(controller.tokenFile)}`];
  return [
    formatAnswers(report),
    "",
    ...reach,
    ...(ssh === null ? [] : [`  ${formatSsh(ssh, near)}`]),
    ...page,
    `  tail -f ${near(serialLog)}`,
    `  ${options.isForeground ? "Ctrl-C" : `${program("scripts/down")}${state}`}    # stops the machine`,
    "",
  ].join("\n");
}

function formatAnswers({ answeredMs, sshMs }: Report): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  if (answeredMs === null) return "up: running, not reachable: the machine has no network card";
  const ssh = sshMs === null ? "" : `, sshd ${seconds(sshMs)}`;
  return `up: answered ${seconds(answeredMs)} after start${ssh}`;
}

/** The keys of an agent come first unless told otherwise, and sshd ends the sixth attempt. */
function formatSsh(
  { host, port, user, identityFile, knownHostsFile, hostKeyAlias }: NonNullable<UpRecord["ssh"]>,
  near: (path: string) => string,
): string {
  const key = `-i ${near(identityFile)} -o IdentitiesOnly=yes`;
  const hostKey = `-o UserKnownHostsFile=${near(knownHostsFile)} -o HostKeyAlias=${hostKeyAlias}`;
  return `ssh -p ${port} ${key} ${hostKey} ${user}@${host}`;
}
