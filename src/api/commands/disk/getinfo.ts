import { object, string, withDefault } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  {
    disk: string({ description: "Name of the disk, as sda, or its path below /dev" }),
    part: withDefault(string({ description: "Partition of that disk; empty: the disk" }), ""),
  },
  ["disk"],
);

export const command = builtin({
  name: "disk.getinfo",
  summary: "Describes one disk or one partition",
  scope: "host",
  access: "read",
  args,
  result: "one element of the result of disk.list",
  run: async (_services, { disk, part }) =>
    (await import("../../../storage/disk-info.ts")).readDiskInfo(disk, part),
});
