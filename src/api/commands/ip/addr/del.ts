import { interfaceAddress, linkAndAddress } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.addr.del",
  summary: "Removes an address from a link",
  scope: "both",
  access: "operate",
  args: linkAndAddress(),
  result: "null",
  run: async ({ kernelNetwork }, { name, ip }) => {
    const address = interfaceAddress(ip);
    (await kernelNetwork()).apply({ op: "address.remove", interface: name, ...address });
  },
});
