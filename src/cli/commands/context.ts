import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";
import { formatPairs } from "../table.ts";

export const context: CliCommand = {
  name: "context",
  summary: "Show which machine would be used, and why",
  options: [],
  operands: [],
  details: [
    "Order: --host, --port or --socket; --context FILE; the file named by NODE0_CONTEXT;\n" +
      "the nearest .node0/context.json in this directory or above (scripts/up writes it);\n" +
      "the socket of an agent on this machine.",
  ],
  examples: ["node0 context", "node0 context -o json"],
  async run(invocation) {
    const { host, port, socket, passwordFile, tls, caFile, source } = invocation.target();
    const where = socket === "" ? { host, port } : { socket };
    const facts = {
      ...where,
      tls,
      caFile: caFile ?? null,
      passwordFile: passwordFile ?? null,
      source,
    };
    const tlsText = caFile === undefined ? "not verified" : `verified by ${caFile}`;
    await invocation.print(facts, () =>
      formatPairs(
        [
          ...Object.entries(where).map(([name, value]) => [name, String(value)] as const),
          ...(tls ? [["tls", tlsText] as const] : []),
          ["password file", passwordFile ?? "none"],
          ["source", source],
        ],
        invocation.paint,
      ),
    );
    return EXIT.ok;
  },
};
