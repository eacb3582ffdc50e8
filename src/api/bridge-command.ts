import { errorText } from "../base/errors.ts";
import { object, string } from "../base/schema.ts";
import { CommandError } from "../command/command.ts";
import type { LinkState, NetworkState } from "../sys/network-state.ts";
import { firewallOf, natOf } from "./firewall-command.ts";
import { findLink, linkName, macAddress } from "./ip-arguments.ts";
import { perAgent } from "./per-agent.ts";
import type { Services } from "./services.ts";

/** What the `bridge.*` commands have in common. */

export const bridgesOf = perAgent(async (services) => {
  const { Bridges } = await import("./bridges.ts");
  const { BridgeServices } = await import("./bridge-service.ts");
  const { linuxFiles: files } = await import("../sys/files-linux.ts");
  const { stateDir, ownJobs, kernelNetwork } = services;
  return new Bridges({
    network: await kernelNetwork(),
    files,
    stateDir,
    firewall: await firewallOf(services),
    nat: await natOf(services),
    services: new BridgeServices({ ownJobs, files, stateDir }),
  });
});

/** Every failure that has no code of its own is 500. */
export async function asBridgeCommand<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(500, errorText(error), error);
  }
}

/** @throws CommandError 404 where it is missing, 400 where it is no bridge. */
export function bridgeLink(state: NetworkState, name: string): LinkState {
  const link = findLink(state, name, 404);
  if (link.kind === "bridge") return link;
  throw new CommandError(400, `Cannot use ${name}: kind ${link.kind} seen, expected bridge`);
}

export const hostArguments = () =>
  object(
    {
      bridge: linkName("Name of a bridge in mode dnsmasq"),
      ip: string({ description: "Address to hand out" }),
      mac: string({ description: "MAC address of the client" }),
    },
    ["bridge", "ip", "mac"],
  );

export function addBridgeHost(
  services: Services,
  host: { readonly bridge: string; readonly ip: string; readonly mac: string },
): Promise<void> {
  return asBridgeCommand(async () => {
    const mac = macAddress(host.mac);
    if (mac === undefined) throw new CommandError(500, "Cannot add a host: no MAC address seen");
    await (await bridgesOf(services)).addHost(host.bridge, { ip: host.ip, mac });
  });
}

/** For an agent that starts: bridges an earlier one made. Loads nothing where there are none. */
export async function restoreBridges(services: Services): Promise<void> {
  const { linuxFiles } = await import("../sys/files-linux.ts");
  if (!linuxFiles.exists(`${services.stateDir}/bridges.json`)) return;
  await (await bridgesOf(services)).restore();
}
