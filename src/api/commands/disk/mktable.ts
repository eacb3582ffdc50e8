import { any, object } from "../../../base/schema.ts";
import { buildMakeTable } from "../../../storage/disk-programs.ts";
import { program } from "../../services.ts";

export const command = program({
  name: "disk.mktable",
  summary: "Writes an empty partition table to a disk that is not in use",
  scope: "host",
  access: "admin",
  result: "none; output in streams, exit status n as code 1000 + n",
  args: object({
    disk: any({ description: "Name of the disk, as sda, or its path below /dev" }),
    table_type: any({ description: "Kind of the table: gpt, msdos, loop, …" }),
  }),
  build: (args) => buildMakeTable(args),
});
