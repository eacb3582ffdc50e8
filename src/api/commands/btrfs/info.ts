import { object, string } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  { mountpoint: string({ description: "Absolute path of the mounted file system" }) },
  ["mountpoint"],
);

export const command = builtin({
  name: "btrfs.info",
  summary: "Describes a mounted btrfs file system and the use of its space",
  scope: "host",
  access: "read",
  args,
  result:
    "{label, uuid, total_devices, used, devices: array of {missing (absent if false), dev_id, size, used, path}, warnings, data, system, metadata, globalreserve: {profile, total, used}}",
  run: async (_services, { mountpoint }) =>
    (await import("../../../storage/btrfs-show.ts")).describeFilesystem(mountpoint),
});
