import { CommandError } from "../command/command.ts";

/** Who follows whom. Two jobs that copied each other's messages would never come to rest. */
export class FollowGraph {
  readonly #targets = new Map<string, string>();

  /**
   * @returns Removes the entry again.
   * @throws CommandError 500 when `target` is or follows `follower`, directly or through others.
   */
  add(follower: string, target: string): () => void {
    for (let id: string | undefined = target; id !== undefined; id = this.#targets.get(id)) {
      if (id === follower) throw new CommandError(500, `job ${target} follows job ${follower}`);
    }
    this.#targets.set(follower, target);
    return () => this.#targets.delete(follower);
  }
}
