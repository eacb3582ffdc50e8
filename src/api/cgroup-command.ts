import { errorCode, errorText } from "../base/errors.ts";
import { integer, string, withDefault } from "../base/schema.ts";
import { CommandError } from "../command/command.ts";
import type { CgroupGroups } from "../sys/cgroup-groups.ts";
import { perAgent } from "./per-agent.ts";
import type { Services } from "./services.ts";

const ROOT = "/sys/fs/cgroup";

const groups = perAgent(async () => {
  const { CgroupGroups } = await import("../sys/cgroup-groups.ts");
  return new CgroupGroups(ROOT);
});

/** Does something with the groups of the node; failures get the codes of the wire protocol. */
export async function useGroups<T>(
  services: Services,
  action: (groups: CgroupGroups) => Promise<T>,
): Promise<T> {
  const found = await groups(services);
  try {
    return await action(found);
  } catch (error) {
    throw new CommandError(CODES[errorCode(error) ?? ""] ?? 500, errorText(error), error);
  }
}

const CODES: Readonly<Record<string, number>> = { E_CGROUP_NONE: 503, E_CGROUP_ABSENT: 404 };

/** @throws CommandError 400 for a name that is not one path level. */
export async function checkGroupName(name: string): Promise<void> {
  const { isGroupName } = await import("../sys/cgroup-groups.ts");
  if (isGroupName(name)) return;
  throw new CommandError(
    400,
    `Cannot use group name ${JSON.stringify(name.slice(0, 80))}: expected 1 to 200 characters without slash, dot and line end`,
  );
}

export const SUBSYSTEM = withDefault(string({ description: "memory or cpuset" }), "");
export const GROUP = withDefault(string({ description: "Group name, one path level" }), "");
export const PID = withDefault(integer({ description: "Process" }), 0);
