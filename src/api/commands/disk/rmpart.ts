import { any, object } from "../../../base/schema.ts";
import { buildRemovePartition } from "../../../storage/disk-programs.ts";
import { program } from "../../services.ts";

export const command = program({
  name: "disk.rmpart",
  summary: "Deletes a partition of a disk that is not in use",
  scope: "host",
  access: "admin",
  result: "none; output in streams, exit status n as code 1000 + n",
  args: object({
    disk: any({ description: "Name of the disk, as sda, or its path below /dev" }),
    number: any({ description: "Number of the partition, from 1" }),
  }),
  build: (args) => buildRemovePartition(args),
});
