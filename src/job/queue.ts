interface Queue {
  /** Newest last, and oldest last: taking from the front of one long array gets slow. */
  incoming: (() => void)[];
  outgoing: (() => void)[];
  isBusy: boolean;
  isDraining: boolean;
}

/**
 * Serial queues: tasks of one name run one at a time in the order they came, names are independent
 * of each other (wire protocol 6.6).
 */
export class SerialQueues {
  readonly #queues = new Map<string, Queue>();

  /** Runs `start` at once when the queue is free, otherwise after everyone before it has left. */
  enter(name: string, start: () => void): void {
    const queue = this.#queues.get(name) ?? emptyQueue();
    this.#queues.set(name, queue);
    queue.incoming.push(start);
    this.#drain(name, queue);
  }

  /** The task that runs in the queue is over. */
  leave(name: string): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    queue.isBusy = false;
    this.#drain(name, queue);
  }

  /** A loop, not a recursion: a row of tasks that end at once must not pile up on the stack. */
  #drain(name: string, queue: Queue): void {
    if (queue.isDraining) return;
    queue.isDraining = true;
    while (!queue.isBusy) {
      const next = takeOldest(queue);
      if (next === undefined) {
        this.#queues.delete(name);
        break;
      }
      queue.isBusy = true;
      next();
    }
    queue.isDraining = false;
  }
}

function emptyQueue(): Queue {
  return { incoming: [], outgoing: [], isBusy: false, isDraining: false };
}

function takeOldest(queue: Queue): (() => void) | undefined {
  if (queue.outgoing.length === 0) {
    queue.outgoing = queue.incoming.reverse();
    queue.incoming = [];
  }
  return queue.outgoing.pop();
}
