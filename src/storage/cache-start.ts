import { errorText } from "../base/errors.ts";
import type { CacheConfig } from "../config/node-config-cache.ts";
import type { Logger } from "../log/logger.ts";
import { readNames } from "../sys/proc/read-text.ts";

/**
 * Looks for the cache disk once the machine has booted; see `cache-disk.ts`. A machine without disks
 * loads nothing for it. Never rejects: a cache is a help, not a condition.
 */
export async function startCacheDisk(config: CacheConfig, log: Logger): Promise<void> {
  if (!readNames("/sys/block").some((name) => !NO_DISK.test(name))) return;
  try {
    const { prepareCacheDisk } = await import("./cache-disk.ts");
    log.info("cache disk looked for", { outcome: await prepareCacheDisk({ config }) });
  } catch (error) {
    log.error("cache disk cannot be used", { reason: errorText(error) });
  }
}

/** What every machine has, or what cannot be a cache. */
const NO_DISK = /^(loop|ram|zram|nbd|fd|sr)\d+$/;
