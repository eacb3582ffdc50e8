import { AgentError, errorCode, errorText } from "../base/errors.ts";
import { integer, object, string, withDefault } from "../base/schema.ts";
import { CommandError } from "../command/command.ts";
import { perAgent } from "./per-agent.ts";
import type { Services } from "./services.ts";

/** What the commands of packet filter and port forwards have in common. */

export const portArguments = (isIgnored = false) => {
  const ignored = isIgnored ? "; ignored" : "";
  return object({
    port: withDefault(integer({ description: "TCP port, 0 to 65535" }), 0),
    interface: withDefault(
      string({ description: `Interface packets come in by, may end in *${ignored}` }),
      "",
    ),
    subnet: withDefault(string({ description: `Network they come from${ignored}` }), ""),
  });
};

export const firewallOf = perAgent(async ({ stateDir }) => {
  const { FirewallControl } = await import("../network/firewall-control.ts");
  const { linuxFiles } = await import("../sys/files-linux.ts");
  return new FirewallControl(linuxFiles, stateDir);
});

export const natOf = perAgent(async (_services: Services) => {
  const { NatTable } = await import("../network/firewall-nat.ts");
  return new NatTable();
});

export const reservationsOf = perAgent(async ({ clock }) => {
  const { PortReservations } = await import("../network/port-reservations.ts");
  return new PortReservations(clock);
});

/** @throws CommandError 500 */
export function checkPort(port: number): number {
  if (port >= 0 && port <= 65_535) return port;
  throw new CommandError(500, `Cannot use port ${port}, expected an integer from 0 to 65535`);
}

/**
 * Turns a failure into that of the command: 1000 + exit status of nft, 404 where it is not installed,
 * 999 when it was ended, 500 for everything else.
 */
export async function withNftCode<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(codeOf(error), errorText(error), error);
  }
}

function codeOf(error: unknown): number {
  if (errorCode(error) === "E_NFT_MISSING") return 404;
  if (!(error instanceof AgentError) || error.code !== "E_NFT") return 500;
  const { status } = error.fields;
  return typeof status === "number" ? 1000 + status : 999;
}
