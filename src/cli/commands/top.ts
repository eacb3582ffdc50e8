import type { CliCommand } from "../grammar.ts";

export const top: CliCommand = {
  name: "top",
  summary: "Watch what uses processors and memory of the machine",
  options: [
    {
      name: "interval",
      value: "SECONDS",
      kind: "number",
      minimum: 0.1,
      maximum: 3600,
      help: "Time between two pictures (2)",
    },
    {
      name: "count",
      value: "NUMBER",
      kind: "integer",
      minimum: 1,
      maximum: 1_000_000,
      help: "End after so many pictures",
    },
  ],
  operands: [],
  details: [
    "On a terminal the picture is drawn again until Ctrl-C; elsewhere there is one. Use of the\n" +
      "processors is counted over the interval before a picture, from processes alive at both ends.",
    "With -o json each picture is one line.",
  ],
  examples: ["node0 top", "node0 top --interval 0.5", "node0 top --count 1 -o json"],
  async run(invocation) {
    const { showTop } = await import("../top/show-top.ts");
    return await showTop(invocation);
  },
};
