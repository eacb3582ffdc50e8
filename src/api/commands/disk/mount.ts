import { any, object } from "../../../base/schema.ts";
import { buildMount } from "../../../storage/disk-programs.ts";
import { program } from "../../services.ts";

export const command = program({
  name: "disk.mount",
  summary: "Mounts a device on a directory",
  scope: "host",
  access: "admin",
  result: "none; output in streams, exit status n as code 1000 + n",
  args: object({
    options: any({ description: "Mount options with commas between them; empty: none" }),
    source: any({ description: "Name of the device, or its path below /dev" }),
    target: any({ description: "Absolute path of the directory" }),
  }),
  build: (args) => buildMount(args),
});
