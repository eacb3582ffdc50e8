import { setTimeout as sleep } from "node:timers/promises";
import { errorText } from "../base/errors.ts";
import type { CacheConfig } from "../config/node-config-cache.ts";
import type { Logger } from "../log/logger.ts";
import { readNames } from "../sys/proc/read-text.ts";

/** Where the machine says that the drivers of its hardware are loaded: `initramfs/root/usr/lib/node0/hardware`. */
const STATE_DIR = "/run/node0";
const DRIVERS_LOADED = "drivers-loaded";

/** Drives come to light some time after their driver. */
const SETTLE_MS = 2000;
/** Longest time all of that is waited for. */
const MOST_LOOKS = 30;

/**
 * Looks for the cache disk once the machine has booted and its disks are there; see `cache-disk.ts`. A
 * machine without disks loads nothing for it. Never rejects: a cache is a help, not a condition.
 */
export async function startCacheDisk(config: CacheConfig, log: Logger): Promise<void> {
  try {
    if (!(await hasDisks())) return;
    const { prepareCacheDisk } = await import("./cache-disk.ts");
    log.info("cache disk looked for", { outcome: await prepareCacheDisk({ config }) });
  } catch (error) {
    log.error("cache disk cannot be used", { reason: errorText(error) });
  }
}

/** Waits until the drivers are loaded and no disk has come for a while. */
async function hasDisks(): Promise<boolean> {
  let seen = "";
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const found = diskNames();
    const isSettled = look > 0 && found === seen;
    if (isSettled && readNames(STATE_DIR).includes(DRIVERS_LOADED)) break;
    seen = found;
    await sleep(SETTLE_MS, undefined, { ref: false });
  }
  return diskNames() !== "";
}

function diskNames(): string {
  const names = readNames("/sys/block").filter((name) => !NO_DISK.test(name));
  return names.toSorted().join(" ");
}

/** What every machine has, or what cannot be a cache. */
const NO_DISK = /^(loop|ram|zram|nbd|fd|sr)\d+$/;
