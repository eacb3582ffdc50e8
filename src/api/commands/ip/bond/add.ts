import { existsSync } from "node:fs";
import { array, integer, object, string, withDefault } from "../../../../base/schema.ts";
import type { KernelNetwork } from "../../../../sys/network-state.ts";
import { BONDING_DIRECTORY } from "../../../../sys/proc/bonds.ts";
import { bondChanges } from "../../../bond-changes.ts";
import { findLink, linkName, newLinkName } from "../../../ip-arguments.ts";
import { runHelper } from "../../../run-helper.ts";
import { builtin } from "../../../services.ts";

const DEFAULT_MTU = 1500;

export const command = builtin({
  name: "ip.bond.add",
  summary: "Creates a round-robin bond of links and brings it up",
  scope: "both",
  access: "operate",
  args: object(
    {
      bond: linkName("Name of the bond"),
      interfaces: array(string(), { description: "Links it is made of" }),
      mtu: withDefault(
        integer({ description: "MTU of the bond and its links; 0 is 1500" }),
        DEFAULT_MTU,
      ),
    },
    ["bond", "interfaces"],
  ),
  result: "null",
  run: async ({ kernelNetwork }, { bond, interfaces, mtu }) => {
    newLinkName(bond);
    const network = await kernelNetwork();
    const state = network.observe();
    for (const name of interfaces) findLink(state, name, 404);
    await loadBonding();
    const [create, ...rest] = bondChanges({
      bond,
      interfaces: [...new Set(interfaces)],
      mtu: mtu === 0 ? DEFAULT_MTU : mtu,
    });
    if (create === undefined) return;
    network.apply(create);
    try {
      for (const change of rest) network.apply(change);
    } catch (error) {
      removeHalf(network, bond);
      throw error;
    }
  },
});

/** Half a bond would be in the way of the next try. */
function removeHalf(network: KernelNetwork, bond: string): void {
  try {
    network.apply({ op: "link.delete", name: bond });
  } catch {
    // Why the bond could not be made matters more than that it is left, which the next try tells.
  }
}

/** Left to itself the module makes a `bond0` nobody asked for. */
async function loadBonding(): Promise<void> {
  if (existsSync(BONDING_DIRECTORY)) return;
  await runHelper("modprobe", ["bonding", "max_bonds=0"]);
}
