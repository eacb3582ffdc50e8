import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.route.list",
  summary: "Lists the unicast routes of the main table, IPv4 and IPv6",
  scope: "both",
  access: "read",
  result: "array of {dev, dst: network/prefix, empty for a default route, gw: address or empty}",
  run: async ({ kernelNetwork }) => {
    const { routes } = (await kernelNetwork()).observe();
    return routes.map(({ interface: dev, destination, gateway }) => ({
      dev,
      dst: destination.endsWith("/0") ? "" : destination,
      gw: gateway ?? "",
    }));
  },
});
