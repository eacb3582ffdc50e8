import { object, string } from "../../../../base/schema.ts";
import { interfaceAddress, linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.addr.add",
  summary: "Adds an address to a link",
  scope: "both",
  args: object(
    { name: linkName(), ip: string({ description: "IP/PREFIX, for example 10.0.0.1/24" }) },
    ["name", "ip"],
  ),
  result: "null",
  run: async ({ kernelNetwork }, { name, ip }) => {
    const address = interfaceAddress(ip);
    (await kernelNetwork()).apply({ op: "address.add", interface: name, ...address });
  },
});
