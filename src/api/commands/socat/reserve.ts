import { integer, object, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import { natOf, reservationsOf, withNftCode } from "../../firewall-command.ts";
import { builtin, type Services } from "../../services.ts";

export const command = builtin({
  name: "socat.reserve",
  summary: "Picks free TCP ports of the node and keeps them reserved for two minutes",
  scope: "host",
  access: "operate",
  badArguments: 400,
  args: object({
    number: withDefault(integer({ description: "How many; not 0, negative gives null" }), 0),
  }),
  result: "array of integers, from 1024 upward",
  run: async (services, { number }) => {
    if (number === 0) throw new CommandError(400, "Cannot reserve 0 ports, expected 1 or more");
    if (number < 0) return null;
    const taken = await takenPorts(services);
    const ports = (await reservationsOf(services)).reserve(number, taken);
    if (ports !== undefined) return ports;
    throw new CommandError(500, `Cannot reserve ${number} ports: there are not as many free ones`);
  },
});

/** Ports with a listener that IPv4 reaches, and those that are forwarded. */
async function takenPorts(services: Services): Promise<Set<number>> {
  const { readListeningSockets } = await import("../../../sys/proc/sockets.ts");
  const sockets = await readListeningSockets();
  const listening = sockets.flatMap(({ network, port }) => (/^tcp/.test(network) ? [port] : []));
  const forwards = await withNftCode((await natOf(services)).forwards());
  const forwarded = forwards.flatMap((rule) => / dport (\d+) /.exec(rule)?.[1] ?? []);
  return new Set([...listening, ...forwarded.map(Number)]);
}
