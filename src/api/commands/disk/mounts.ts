import { builtin } from "../../services.ts";

export const command = builtin({
  name: "disk.mounts",
  summary: "Shows the mount table by device",
  scope: "host",
  access: "read",
  result:
    "object of device to array of {mountpoint, filesystem, options: object of option to text}",
  run: async () => (await import("../../../storage/mount-table.ts")).readMountTable(),
});
