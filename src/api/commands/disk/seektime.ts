import { object, string } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  { disk: string({ description: "Name of the disk, as sda, or its path below /dev" }) },
  ["disk"],
);

export const command = builtin({
  name: "disk.seektime",
  summary: "Measures random reads to tell flash from disks that turn",
  scope: "host",
  access: "operate",
  args,
  badArguments: 400,
  result: "{device, elapsed: microseconds of one read, type: SSD or HDD}",
  run: async (_services, { disk }) =>
    (await import("../../../storage/drive-commands.ts")).measure(disk),
});
