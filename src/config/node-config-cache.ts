import { type ConfigKey, flag, key } from "./node-config-key.ts";

/** The disk the node keeps its cache on: section `cache`. */
export interface CacheConfig {
  /** Whether a disk without any signature may be prepared; one that is prepared is always used. */
  readonly prepare: boolean;
  /** The only disk that may be prepared, as a path below /dev; empty: the largest empty one. */
  readonly device: string;
}

export const DEFAULT_CACHE_CONFIG: CacheConfig = { prepare: false, device: "" };

export const CACHE_KEYS: readonly ConfigKey[] = [
  flag("cache.prepare"),
  key(
    "cache.device",
    "a path below /dev or an empty string",
    (value) => value === "" || (typeof value === "string" && /^\/dev\/[\w./-]+$/.test(value)),
  ),
];
