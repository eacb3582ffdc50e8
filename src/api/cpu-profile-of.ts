import { perAgent } from "./per-agent.ts";

/** The profiler of the agent, which takes one profile at a time. */
export const cpuProfileOf = perAgent(async ({ clock }) => {
  const { CpuProfile } = await import("../sys/cpu-profile.ts");
  // The file is gone or its disk is full: whoever asked for the profile sees that it is empty.
  return new CpuProfile(clock, () => {});
});
