import { object, string, withDefault } from "../../../../base/schema.ts";
import { linkName, macAddress, newLinkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.bridge.add",
  summary: "Creates a bridge, which stays down",
  scope: "both",
  access: "operate",
  args: object(
    {
      name: linkName("Name of the bridge"),
      hwaddr: withDefault(string({ description: "MAC address; empty: the kernel chooses" }), ""),
    },
    ["name"],
  ),
  result: "null",
  run: async ({ kernelNetwork }, { name, hwaddr }) => {
    const mac = macAddress(hwaddr);
    (await kernelNetwork()).apply({
      op: "link.add",
      name: newLinkName(name),
      link: { kind: "bridge" },
      ...(mac === undefined ? {} : { mac }),
    });
  },
});
