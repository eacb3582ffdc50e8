import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";

export const support: CliCommand = {
  name: "support",
  summary: "Collect facts about the machine for somebody who helps",
  options: [],
  operands: [{ name: "FILE", help: "Archive to write, .tar.gz; - is standard output" }],
  details: [
    "Holds info.*, the boot, the network, links, disks, firewall, statistics, the configuration, jobs and\n" +
      "processes by name, and the log of the agent. No password, key or token: values of settings that\n" +
      "programs get, arguments of jobs and processes, and what jobs wrote are left out.",
    "What the machine does not have or refuses is listed in manifest.json with the reason.",
  ],
  examples: ["node0 support", "node0 support /tmp/node7.tar.gz", "node0 support - | tar tz"],
  async run(invocation) {
    const { writeBundle } = await import("../support/bundle.ts");
    await writeBundle(invocation, invocation.input.operands[0]);
    return EXIT.ok;
  },
};
