import { object, string, withDefault } from "../../../../base/schema.ts";
import { formatNetwork } from "../../../../sys/netlink/ip-text.ts";
import { cidr, gateway, linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.route.add",
  summary: "Adds a route to the main table",
  scope: "both",
  access: "operate",
  args: object(
    {
      dev: linkName(),
      dst: withDefault(string({ description: "Network as IP/PREFIX; empty: default route" }), ""),
      gw: withDefault(string({ description: "Address of the gateway; empty: none" }), ""),
    },
    ["dev"],
  ),
  result: "null",
  run: async ({ kernelNetwork }, { dev, dst, gw }) => {
    const via = gateway(gw);
    const everywhere = via?.family === 6 ? "::/0" : "0.0.0.0/0";
    (await kernelNetwork()).apply({
      op: "route.add",
      destination: dst === "" ? everywhere : formatNetwork(cidr(dst, "network")),
      gateway: via?.address ?? null,
      interface: dev,
    });
  },
});
