import type { CliCommand } from "../grammar.ts";

export const logs: CliCommand = {
  name: "logs",
  summary: "Show what the jobs of the machine write, and follow it",
  options: [
    { name: "follow", short: "f", help: "Go on until it is ended" },
    {
      name: "lines",
      short: "n",
      value: "COUNT",
      kind: "integer",
      maximum: 1000,
      help: "Records of the past, the machine keeps 1000 (100)",
    },
    {
      name: "level",
      short: "l",
      value: "LEVEL",
      isRepeatable: true,
      help: "Only this level, a name or a number from 0 to 65535",
    },
    { name: "job", value: "ID", isRepeatable: true, help: "Only this job" },
  ],
  operands: [],
  details: [
    "Levels: stdout (1), stderr (2), public (3), operator (4), log (5), record (6), warning (7),\n" +
      "error (8), critical (9), statistics (10), debug (11), result (20 to 30), all. Without any, all but\n" +
      "statistics and results: those are the answers to every client.",
    "-o json prints one object per line. A machine that goes away while its log is followed is waited\n" +
      "for; --timeout ends it with exit code 0.",
  ],
  examples: [
    "node0 logs",
    "node0 logs -f -l warning -l error -l critical",
    "node0 logs -f --job build-7",
    "node0 logs -n 1000 -o json",
  ],
  async run(invocation) {
    const { readFilter } = await import("../log-filter.ts");
    const filter = readFilter(invocation.input);
    const { showLogs } = await import("../show-logs.ts");
    return await showLogs(invocation, filter);
  },
};
