import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { FakeClock } from "../../fakes/clock.ts";

/** A keyspace on a clock moved by hand, with the shorthands tests use. */
export function openKeyspace(maxBytes?: number) {
  const clock = new FakeClock();
  const keyspace = new Keyspace({ clock, ...(maxBytes === undefined ? {} : { maxBytes }) });
  const { lists, store } = keyspace;
  return {
    clock,
    keyspace,
    lists,
    store,
    rpush: (key: string, ...values: string[]) => lists.push(key, "right", values),
    all: (key: string) => lists.range(key, 0, -1),
    /** Seconds, -1 without expiry, -2 without key. */
    ttl: (key: string) => {
      const entry = store.get(key);
      if (entry === undefined) return -2;
      const ttlMs = store.ttlMs(entry);
      return ttlMs === null ? -1 : Math.round(ttlMs / 1000);
    },
    expire: (key: string, seconds: number) => {
      const entry = store.get(key);
      if (entry !== undefined) store.setExpiry(entry, seconds * 1000);
    },
  };
}
