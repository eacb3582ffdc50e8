import { builtin } from "../../services.ts";

export const command = builtin({
  name: "disk.list",
  summary: "Lists disks with their partitions, partition table and free areas",
  scope: "host",
  access: "read",
  result:
    "array of objects: the columns of lsblk as texts (name, kname, maj:min, fstype, mountpoint, label, uuid, …), children, and size, start, end, blocksize, table, free: array of {start, end, size}",
  run: async () => (await import("../../../storage/disk-info.ts")).listDisks(),
});
