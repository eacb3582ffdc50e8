import type { JobMessage } from "../../../src/job/types.ts";

/** A record with everything that does not matter filled in. */
export function record(parts: Partial<JobMessage> = {}): JobMessage {
  return {
    jobId: "job",
    text: "text\n",
    level: 1,
    flags: 0,
    epochNs: 1_795_168_494_659_594_248n,
    ...parts,
  };
}
