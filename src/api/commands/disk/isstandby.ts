import { object, string } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  { disk: string({ description: "Name of the disk, as sda, or its path below /dev" }) },
  ["disk"],
);

export const command = builtin({
  name: "disk.isstandby",
  summary: "Tells whether a drive is in standby",
  scope: "host",
  access: "read",
  args,
  result: "true or false",
  run: async (_services, { disk }) =>
    (await import("../../../storage/drive-commands.ts")).tellStandby(disk),
});
