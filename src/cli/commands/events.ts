import type { CliCommand } from "../grammar.ts";

export const events: CliCommand = {
  name: "events",
  summary: "Follow the boot and the network of the machine",
  options: [],
  operands: [],
  details: [
    "Prints how the machine booted and how its network is, then a line per change until it is ended;\n" +
      "-o json prints one object per line. A machine that goes away meanwhile is waited for.\n" +
      "--timeout ends it with exit code 0.",
  ],
  examples: ["node0 events", "node0 events -o json", "node0 events --timeout 60"],
  async run(invocation) {
    const { followEvents } = await import("../follow-events.ts");
    return await followEvents(invocation);
  },
};
