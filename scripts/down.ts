import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { errorText } from "../src/base/errors.ts";
import { clearRun, isRunning, readUpRecord, STATE_DIRECTORY } from "./machine/up-record.ts";

const USAGE = "Usage: scripts/down [--state DIR]";

async function down(stateDirectory: string): Promise<string> {
  const record = readUpRecord(stateDirectory);
  if (record === null) return "no machine runs here";
  const wasRunning = isRunning(record);
  await clearRun(stateDirectory, record, { keepLog: false });
  const what = wasRunning ? "stopped" : "had ended already, cleared up";
  return `QEMU ${record.qemuPid} ${what}`;
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
