import { integer, object, string, withDefault } from "../../../base/schema.ts";
import { reportersOf } from "../../rtinfo-of.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "rtinfo.stop",
  summary: "Stops a program that reports to an rtinfo server",
  scope: "host",
  access: "operate",
  result: "null",
  args: object({
    host: withDefault(string({ description: "Host it was started with" }), ""),
    port: withDefault(integer({ description: "Port it was started with" }), 0),
  }),
  run: (services, reporter) => reportersOf(services).stop(reporter),
});
