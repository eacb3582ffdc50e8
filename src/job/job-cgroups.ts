import { errorText } from "../base/errors.ts";
import { CommandError } from "../command/command.ts";
import type { Logger } from "../log/logger.ts";
import { type Cgroup, type CgroupLimits, type Cgroups, NO_LIMITS } from "../sys/cgroup.ts";
import type { CommandObject } from "./types.ts";

export interface JobCgroupsOptions {
  /** Null: jobs are process groups and nothing more. */
  readonly cgroups: Cgroups | null;
  /** For jobs that name none themselves. */
  readonly defaults: CgroupLimits;
  readonly log: Logger;
}

/** The cgroup of each run of a program, with the limits that apply to it. */
export class JobCgroups {
  readonly #options: JobCgroupsOptions;
  #hasWarned = false;

  constructor(options: JobCgroupsOptions) {
    this.#options = options;
  }

  /**
   * @param isOwn A job the node started itself: the defaults are meant for those of clients.
   * @returns Undefined where jobs have no cgroups.
   * @throws CommandError 503 when the job asks for a limit that cannot be enforced here.
   */
  open({ id, limits: asked = NO_LIMITS }: CommandObject, isOwn: boolean): Cgroup | undefined {
    const { cgroups, defaults } = this.#options;
    const limits = isOwn ? asked : merge(asked, defaults);
    const obstacle = cgroups === null ? "an agent on a host makes no cgroups" : cgroups.obstacle;
    if (cgroups === null || obstacle !== undefined) {
      if (isLimited(asked)) throw unsupported(obstacle ?? "");
      if (isLimited(limits)) this.#warn(obstacle ?? "");
      return undefined;
    }
    try {
      return cgroups.create(id, limits);
    } catch (error) {
      if (isLimited(limits)) throw unsupported(errorText(error));
      this.#warn(errorText(error));
      return undefined;
    }
  }

  /** Once: every job would say the same. */
  #warn(reason: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.log.warn("jobs run without a cgroup, nothing limits them", { reason });
  }
}

export const isLimited = ({ memory, pids, cpu }: CgroupLimits): boolean =>
  memory > 0 || pids > 0 || cpu > 0;

function merge(asked: CgroupLimits, defaults: CgroupLimits): CgroupLimits {
  return {
    memory: asked.memory || defaults.memory,
    pids: asked.pids || defaults.pids,
    cpu: asked.cpu || defaults.cpu,
  };
}

function unsupported(reason: string): CommandError {
  return new CommandError(503, `Cannot limit the job: limits are unsupported here, ${reason}`);
}
