import type { JobResult } from "../client/client.ts";
import { failureText, isJsonResult } from "../client/result.ts";
import type { Invocation } from "./invocation.ts";
import { printable } from "./table.ts";

/** Codes of jobs whose program ran and speaks for itself (wire protocol 5.2). */
const STATUS_BASE = 1000;

/** Writes what a finished job wrote to the same descriptors, its value, and why it failed. */
export async function writeOutcome(invocation: Invocation, result: JobResult): Promise<void> {
  const { stdout, stderr } = invocation.io;
  const [out = "", err = ""] = result.streams ?? [];
  await stdout.write(out);
  await stderr.write(err);
  if (result.level > 0 && (result.state === "SUCCESS" || !isJsonResult(result))) {
    await stdout.write(result.data.endsWith("\n") ? result.data : `${result.data}\n`);
  }
  await explainFailure(invocation, result);
}

/** Says why a job failed, unless it ended with an exit status: then its program has said it. */
export async function explainFailure(invocation: Invocation, result: JobResult): Promise<void> {
  if (result.state === "SUCCESS") return;
  const { command, id, state, code } = result;
  if (state === "TIMEOUT") {
    await invocation.note(`job ${printable(id)} was stopped: its time limit is used up`);
  } else if (code === 999) {
    await invocation.note(`job ${printable(id)} was ended by a signal`);
  } else if (code < STATUS_BASE || isJsonResult(result)) {
    const text = printable(failureText(result));
    await invocation.note(`${printable(command)} failed (${state}, code ${code}): ${text}`);
  }
}
