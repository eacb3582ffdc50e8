import { object } from "../../../../base/schema.ts";
import { findLink, linkName } from "../../../ip-arguments.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.addr.list",
  summary: "Lists the addresses of a link, IPv4 first",
  scope: "both",
  access: "read",
  args: object({ name: linkName() }, ["name"]),
  result: "array of ip/prefix",
  run: async ({ kernelNetwork }, { name }) => {
    const state = (await kernelNetwork()).observe();
    findLink(state, name);
    return state.addresses
      .filter((one) => one.interface === name)
      .sort((one, other) => one.family - other.family)
      .map(({ address, prefix }) => `${address}/${prefix}`);
  },
});
