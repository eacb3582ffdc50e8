/** A set of message levels, asked for every message of every job. */
export class LevelSet {
  readonly #levels: ReadonlySet<number> | null;

  /** @param levels Empty: all levels. */
  constructor(levels: readonly number[]) {
    this.#levels = levels.length === 0 ? null : new Set(levels);
  }

  has(level: number): boolean {
    return this.#levels === null || this.#levels.has(level);
  }
}

/** A set of no level. */
export const NO_LEVELS = new LevelSet([-1]);
