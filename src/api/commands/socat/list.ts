import { natOf, withNftCode } from "../../firewall-command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "socat.list",
  summary: "Lists the port forwards as packet filter text",
  scope: "host",
  access: "read",
  result: "array of strings; null where there is none",
  run: async (services) => {
    const forwards = await withNftCode((await natOf(services)).forwards());
    return forwards.length === 0 ? null : forwards;
  },
});
