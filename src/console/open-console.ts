import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Files } from "../sys/files.ts";
import { Console } from "./console.ts";
import type { ScreenContent } from "./screen.ts";
import { chooseTargets } from "./targets.ts";
import { ConsoleWriter, openTerminal } from "./writer.ts";

export interface OpenConsoleOptions {
  readonly clock: Clock;
  readonly files: Files;
  readonly log: Logger;
  readonly content: () => ScreenContent;
}

/** The size every VT has at least; asking for the real one is not worth a system call library. */
const VT_SIZE = { columns: 80, rows: 25 } as const;

/** Opens the terminals the kernel uses as consoles. One that cannot be opened is left out. */
export function openConsole(options: OpenConsoleOptions): Console {
  const { clock, files, log, content } = options;
  const targets = chooseTargets(files.readText("/sys/class/tty/console/active") ?? "");
  const open = (path: string): ConsoleWriter[] => {
    try {
      return [new ConsoleWriter(openTerminal(path), { clock })];
    } catch (error) {
      log.warn("console cannot be opened", { path, cause: errorText(error) });
      return [];
    }
  };
  return new Console({
    clock,
    content,
    size: VT_SIZE,
    lines: targets.lines.flatMap(open),
    screen: (targets.screen === null ? [] : open(targets.screen))[0] ?? null,
  });
}
