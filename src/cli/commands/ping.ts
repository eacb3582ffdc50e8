import { formatEndpoint } from "../../client/errors.ts";
import { EXIT } from "../exit-code.ts";
import type { CliCommand } from "../grammar.ts";

export const ping: CliCommand = {
  name: "ping",
  summary: "Ask the machine whether it is there",
  options: [],
  operands: [],
  examples: ["node0 ping", "node0 --host 192.168.1.20 --password-file secret ping"],
  async run(invocation) {
    const client = await invocation.connect();
    const rttMs = Number((await client.ping(invocation.limits)).toFixed(2));
    const answer = String(await client.value("core.ping", undefined, invocation.limits));
    const where = formatEndpoint(client.endpoint);
    await invocation.print(
      { endpoint: where, answer, roundTripMs: rttMs },
      () => `${answer} from ${where} in ${rttMs} ms\n`,
    );
    return EXIT.ok;
  },
};
