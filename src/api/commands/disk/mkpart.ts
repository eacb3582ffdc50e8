import { any, object } from "../../../base/schema.ts";
import { buildMakePartition } from "../../../storage/disk-programs.ts";
import { program } from "../../services.ts";

export const command = program({
  name: "disk.mkpart",
  summary: "Creates a partition on a disk that is not in use",
  scope: "host",
  access: "admin",
  result: "none; output in streams, exit status n as code 1000 + n",
  args: object({
    disk: any({ description: "Name of the disk, as sda, or its path below /dev" }),
    start: any({ description: "Begin, as parted takes it: 1MiB, 2048s, 0%, or a number of MB" }),
    end: any({ description: "End, in the same form" }),
    part_type: any({ description: "primary, logical or extended" }),
  }),
  build: (args) => buildMakePartition(args),
});
