import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { AgentError, errorText } from "../src/base/errors.ts";
import { clearPrivateWork } from "./machine/machine-private.ts";
import {
  clearRun,
  isRunning,
  isStarting,
  readStartedRun,
  readUpRecord,
  STATE_DIRECTORY,
} from "./machine/up-record.ts";

const USAGE = "Usage: scripts/down [--state DIR]";

async function down(stateDirectory: string): Promise<string> {
  const record = readUpRecord(stateDirectory);
  if (record === null) return await clearStarted(stateDirectory);
  const wasRunning = isRunning(record);
  await clearRun(stateDirectory, record.run, { keepLog: false });
  const what = wasRunning ? "stopped" : "had ended already, cleared up";
  return `QEMU ${record.qemuPid} ${what}`;
}

/** What a killed `scripts/up` left; one that lives ends its run itself. */
async function clearStarted(stateDirectory: string): Promise<string> {
  const run = readStartedRun(stateDirectory);
  if (run === null) return "no machine runs here";
  if (isStarting(run)) {
    throw new AgentError(
      "E_UP_STARTING",
      `Cannot stop the machine: scripts/up is starting it (process ${run.starter?.pid}), expected that to end or be interrupted`,
    );
  }
  await clearRun(stateDirectory, run, { keepLog: false });
  await clearPrivateWork();
  return "no machine runs here, cleared up what a killed start left";
}

try {
  const { values } = parseArgs({
    options: { state: { type: "string" }, help: { type: "boolean", default: false } },
  });
  if (values.help) console.log(USAGE);
  else console.log(`down: ${await down(resolve(values.state ?? STATE_DIRECTORY))}`);
} catch (error) {
  console.error(`down: ${errorText(error)}`);
  process.exitCode = 1;
}
