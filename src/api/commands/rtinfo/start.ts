import { array, integer, object, string, withDefault } from "../../../base/schema.ts";
import { reportersOf } from "../../rtinfo-of.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "rtinfo.start",
  summary: "Starts a program that reports to an rtinfo server",
  scope: "host",
  access: "operate",
  result: "null",
  args: object({
    host: withDefault(string({ description: "Name or address of the server" }), ""),
    port: withDefault(integer({ description: "Port of the server, 1 to 65535" }), 0),
    disks: withDefault(array(string(), { description: "Beginnings of names of disks" }), []),
  }),
  run: (services, reporter) => reportersOf(services).start(reporter),
});
