import { reportersOf } from "../../rtinfo-of.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "rtinfo.list",
  summary: "Lists the programs that report to rtinfo servers",
  scope: "host",
  access: "read",
  result: "object of `<host>:<port>` to {host, port, disks}",
  run: (services) => reportersOf(services).list(),
});
