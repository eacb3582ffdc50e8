import { integer, object, string, withDefault } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  {
    disk: string({ description: "Name of the disk, as sda, or its path below /dev" }),
    spindown: withDefault(integer({ description: "0 never, 1 to 240 times 5 seconds" }), 0),
  },
  ["disk"],
);

export const command = builtin({
  name: "disk.spindown",
  summary: "Sets after which time without use a drive stops turning",
  scope: "host",
  access: "operate",
  args,
  result: "null",
  run: async (_services, { disk, spindown }) =>
    (await import("../../../storage/drive-commands.ts")).spinDown(disk, spindown),
});
