import { MILESTONES, type Milestone, type StartupService } from "./types.ts";

/** A service with its place in the boot. */
export interface PlannedService {
  readonly service: StartupService;
  /** The latest of its own milestones and those of the services before it. */
  readonly milestone: Milestone;
  /** Ids of the services that must be running before. */
  readonly requires: readonly string[];
}

/** What earlier plans hold, by id. */
type Known = ReadonlyMap<string, Pick<PlannedService, "milestone">>;

/**
 * Finds for each service which part of the boot it belongs to. Services that wait for one that does not exist,
 * or in a circle, cannot be started; neither can those after them.
 */
export function planServices(
  services: readonly StartupService[],
  known: Known = new Map(),
): { planned: PlannedService[]; problems: string[] } {
  const planner = new Planner(services, known);
  const planned = services.flatMap(({ id }) => planner.plan(id, []) ?? []);
  return { planned, problems: planner.problems };
}

class Planner {
  readonly problems: string[] = [];
  readonly #services: ReadonlyMap<string, StartupService>;
  readonly #known: Known;
  /** Null: cannot be started, which was said. */
  readonly #planned = new Map<string, PlannedService | null>();

  constructor(services: readonly StartupService[], known: Known) {
    this.#services = new Map(services.map((service) => [service.id, service]));
    this.#known = known;
  }

  /** @param trail Ids of the services that wait for this one. */
  plan(id: string, trail: readonly string[]): PlannedService | null {
    const before = this.#planned.get(id);
    if (before !== undefined) return before;
    const service = this.#services.get(id);
    if (service === undefined) return null;
    if (trail.includes(id)) {
      const circle = [...trail.slice(trail.indexOf(id)), id].join(" → ");
      return this.#refuse(service, `waits in a circle: ${circle}`);
    }
    const planned = this.#place(service, [...trail, id]);
    // The circle may have been closed, and said, below.
    const known = this.#planned.get(id);
    if (known !== undefined) return known;
    this.#planned.set(id, planned);
    return planned;
  }

  #place(service: StartupService, trail: readonly string[]): PlannedService | null {
    let rank = service.after.length === 0 ? MILESTONES.indexOf("boot") : 0;
    const requires: string[] = [];
    for (const name of service.after) {
      const own = (MILESTONES as readonly string[]).indexOf(name);
      if (own >= 0) {
        rank = Math.max(rank, own);
        continue;
      }
      const other = this.#services.has(name) ? this.plan(name, trail) : this.#known.get(name);
      if (other === undefined) {
        const names = [...MILESTONES, "a service"].join(", ");
        return this.#refuse(service, `after ${JSON.stringify(name)} seen, expected ${names}`);
      }
      if (other === null) return this.#refuse(service, `${name} before it cannot be started`);
      requires.push(name);
      rank = Math.max(rank, MILESTONES.indexOf(other.milestone));
    }
    return { service, milestone: MILESTONES[rank] ?? "boot", requires };
  }

  #refuse(service: StartupService, why: string): null {
    if (this.#planned.get(service.id) === null) return null;
    this.problems.push(`Cannot start service ${service.id} of ${service.place}: ${why}`);
    this.#planned.set(service.id, null);
    return null;
  }
}
