import { object, string, withDefault } from "../../../../base/schema.ts";
import { CommandError } from "../../../../command/command.ts";
import { formatNetwork } from "../../../../sys/netlink/ip-text.ts";
import { cidr, findLink, gateway, linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.route.del",
  summary: "Deletes the one route of the main table that matches all given fields",
  scope: "both",
  access: "operate",
  args: object(
    {
      dev: linkName(),
      dst: withDefault(string({ description: "Network as IP/PREFIX; empty: any" }), ""),
      gw: withDefault(string({ description: "Address of the gateway; empty: any" }), ""),
    },
    ["dev"],
  ),
  result: "null",
  run: async ({ kernelNetwork }, { dev, dst, gw }) => {
    const wanted = dst === "" ? undefined : formatNetwork(cidr(dst, "network"));
    const via = gateway(gw)?.address;
    const network = await kernelNetwork();
    const state = network.observe();
    findLink(state, dev);
    const [route, ...others] = state.routes.filter(
      (one) =>
        one.interface === dev &&
        (wanted === undefined || one.destination === wanted) &&
        (via === undefined || one.gateway === via),
    );
    if (route === undefined || others.length > 0) {
      const seen = route === undefined ? "no route matches" : `${others.length + 1} routes match`;
      throw new CommandError(500, `Cannot delete a route on ${dev}: ${seen}, expected one`);
    }
    const { destination, gateway: hop, metric, protocol } = route;
    const what = { destination, gateway: hop, interface: dev, metric, protocol };
    network.apply({ op: "route.remove", ...what });
  },
});
