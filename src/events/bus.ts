/** One published event. `sequence` counts from 1 and never repeats within one bus. */
export interface BusEvent<Events, Type extends keyof Events = keyof Events> {
  readonly sequence: number;
  readonly type: Type;
  readonly payload: Events[Type];
}

/** The side of a bus that parts of the agent which only report are given. */
export interface Publisher<Events> {
  publish<Type extends keyof Events>(type: Type, payload: Events[Type]): void;
}

export interface EventBusOptions {
  /** Events kept for late readers; older ones are forgotten. Default 256. */
  readonly historyLimit?: number;
  /** Told when a listener throws; the other listeners are still called. */
  readonly onListenerError?: (error: unknown) => void;
}

type Listener<Events> = (event: BusEvent<Events>) => void;

/**
 * Typed events inside one process: `Events` maps each event name to its payload. Listeners are
 * called synchronously, in the order they subscribed. The newest events stay readable.
 */
export class EventBus<Events> implements Publisher<Events> {
  readonly #historyLimit: number;
  readonly #onListenerError: (error: unknown) => void;
  readonly #listeners = new Set<Listener<Events>>();
  #history: BusEvent<Events>[] = [];
  #published = 0;

  constructor(options: EventBusOptions = {}) {
    this.#historyLimit = options.historyLimit ?? 256;
    this.#onListenerError = options.onListenerError ?? (() => {});
  }

  publish<Type extends keyof Events>(type: Type, payload: Events[Type]): void {
    this.#published += 1;
    const event: BusEvent<Events> = { sequence: this.#published, type, payload };
    this.#remember(event);
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  /** Calls `listener` for every later event; the returned function ends that. */
  subscribe(listener: (event: BusEvent<Events>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` for every later event of one type. */
  on<Type extends keyof Events>(type: Type, listener: (payload: Events[Type]) => void): () => void {
    return this.subscribe((event) => {
      if (event.type === type) listener(event.payload as Events[Type]);
    });
  }

  /** Events still remembered, oldest first. */
  history(): readonly BusEvent<Events>[] {
    return this.#history.slice(-this.#historyLimit);
  }

  /** Trimmed only at twice the limit: moving a long array on every event would be waste. */
  #remember(event: BusEvent<Events>): void {
    this.#history.push(event);
    if (this.#history.length >= 2 * this.#historyLimit) {
      this.#history = this.history().slice();
    }
  }
}
