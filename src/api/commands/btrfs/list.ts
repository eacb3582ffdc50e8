import { builtin } from "../../services.ts";

export const command = builtin({
  name: "btrfs.list",
  summary: "Lists the btrfs file systems of all disks",
  scope: "host",
  access: "read",
  result:
    "array of {label, uuid, total_devices, used, devices: array of {missing (absent if false), dev_id, size, used, path}, warnings}",
  run: async () => (await import("../../../storage/btrfs-show.ts")).listFilesystems(),
});
