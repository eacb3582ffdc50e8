import { join } from "node:path";
import { clearRun, isRunning, readUpRecord } from "./machine/up-record.ts";

const stateDirectory = join(import.meta.dirname, "../.node0");
const record = readUpRecord(stateDirectory);

if (record === null) {
  console.log("down: no machine runs here");
} else {
  const wasRunning = isRunning(record);
  await clearRun(stateDirectory, record, { keepLog: false });
  const pid = `QEMU ${record.qemuPid}`;
  console.log(wasRunning ? `down: ${pid} stopped` : `down: ${pid} had ended already, cleared up`);
}
