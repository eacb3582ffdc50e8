import { boolean, map, object, string, withDefault } from "../../../base/schema.ts";
import { asBridgeCommand, bridgesOf } from "../../bridge-command.ts";
import { linkName, macAddress } from "../../ip-arguments.ts";
import { builtin } from "../../services.ts";

const network = object({
  mode: withDefault(string({ description: "Empty, static or dnsmasq" }), ""),
  nat: withDefault(
    boolean({ description: "Hide the network behind the addresses of the node" }),
    false,
  ),
  settings: withDefault(
    map(string(), { description: "static: cidr; dnsmasq: cidr, start and end" }),
    {},
  ),
});

export const command = builtin({
  name: "bridge.create",
  summary: "Creates a bridge with address, name server, DHCP and NAT, or nothing at all",
  scope: "host",
  access: "operate",
  args: object(
    {
      name: linkName("Name of the bridge, not default"),
      hwaddr: withDefault(string({ description: "MAC address; empty: a random one" }), ""),
      network: withDefault(network, { mode: "", nat: false, settings: {} }),
    },
    ["name"],
  ),
  result: "null",
  run: (services, { name, hwaddr, network: { mode, nat, settings } }) =>
    asBridgeCommand(async () => {
      const mac = macAddress(hwaddr) ?? "";
      await (await bridgesOf(services)).create({ name, mac, mode, nat, settings });
    }),
});
