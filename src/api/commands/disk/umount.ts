import { any, object } from "../../../base/schema.ts";
import { buildUnmount } from "../../../storage/disk-programs.ts";
import { program } from "../../services.ts";

export const command = program({
  name: "disk.umount",
  summary: "Unmounts a disk",
  scope: "host",
  access: "admin",
  result: "none; output in streams, exit status n as code 1000 + n",
  args: object({
    source: any({ description: "Path of the device or of the directory it is mounted on" }),
  }),
  build: (args) => buildUnmount(args),
});
