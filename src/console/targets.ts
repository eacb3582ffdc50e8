export interface ConsoleTargets {
  /** Devices that get one line per transition. */
  readonly lines: readonly string[];
  /** The screen that is redrawn; null where the kernel has no console on a virtual terminal. */
  readonly screen: string | null;
}

/**
 * Decides what goes where.
 *
 * @param active Text of /sys/class/tty/console/active: names of the kernel's consoles, the last one
 * is /dev/console. Empty or unreadable: lines to /dev/console.
 */
export function chooseTargets(active: string): ConsoleTargets {
  const names = active.split(/\s+/).filter((name) => name !== "");
  const isVirtual = (name: string): boolean => /^tty\d+$/.test(name);
  const lines = names.filter((name) => !isVirtual(name)).map((name) => `/dev/${name}`);
  const screen = names.some(isVirtual) ? "/dev/tty1" : null;
  return lines.length === 0 && screen === null
    ? { lines: ["/dev/console"], screen: null }
    : { lines, screen };
}
