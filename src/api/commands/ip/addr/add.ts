import { interfaceAddress, linkAndAddress } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.addr.add",
  summary: "Adds an address to a link",
  scope: "both",
  access: "operate",
  args: linkAndAddress(),
  result: "null",
  run: async ({ kernelNetwork }, { name, ip }) => {
    const address = interfaceAddress(ip);
    (await kernelNetwork()).apply({ op: "address.add", interface: name, ...address });
  },
});
