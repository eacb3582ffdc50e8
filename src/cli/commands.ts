import { bridge } from "./commands/bridge.ts";
import { call } from "./commands/call.ts";
import { completion } from "./commands/completion.ts";
import { context } from "./commands/context.ts";
import { disk } from "./commands/disk.ts";
import { events } from "./commands/events.ts";
import { fs } from "./commands/fs.ts";
import { help } from "./commands/help.ts";
import { info } from "./commands/info.ts";
import { jobs } from "./commands/jobs.ts";
import { kill } from "./commands/kill.ts";
import { logs } from "./commands/logs.ts";
import { net } from "./commands/net.ts";
import { ping } from "./commands/ping.ts";
import { poweroff, reboot } from "./commands/power.ts";
import { result } from "./commands/result.ts";
import { run } from "./commands/run.ts";
import { status } from "./commands/status.ts";
import { support } from "./commands/support.ts";
import { top } from "./commands/top.ts";
import type { CliCommand } from "./grammar.ts";

/** The table of commands, in the order help shows them. */
export const COMMANDS: readonly CliCommand[] = [
  status,
  top,
  ping,
  run,
  jobs,
  result,
  kill,
  logs,
  info,
  events,
  net,
  fs,
  disk,
  bridge,
  call,
  support,
  reboot,
  poweroff,
  context,
  completion,
  help,
];
