import { AgentError } from "../base/errors.ts";
import { openOutputFile } from "./output-file.ts";

const FILE_MODE = 0o600;

let isBusy = false;

/**
 * Writes a snapshot of the heap of this process, in the form of `.heapsnapshot`. The process stands
 * still while V8 takes it, about a second for each 100 MB, and needs as much memory again.
 *
 * @throws AgentError `E_PROFILE` while another one is written, `E_FILE` when the file cannot be written.
 */
export async function writeHeapSnapshot(path: string): Promise<void> {
  if (isBusy) throw new AgentError("E_PROFILE", "Cannot write heap snapshot: one is being written");
  isBusy = true;
  try {
    const file = await openOutputFile(path, FILE_MODE);
    try {
      await file.writeFile(process.getBuiltinModule("node:v8").getHeapSnapshot());
    } finally {
      await file.close();
    }
  } finally {
    isBusy = false;
  }
}
