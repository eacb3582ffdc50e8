import { array, boolean, object, string, withDefault } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object({
  label: withDefault(string({ description: "Label" }), ""),
  metadata: withDefault(
    string({ description: "Profile of metadata, as raid1; empty: the default" }),
    "",
  ),
  data: withDefault(string({ description: "Profile of data; empty: the default" }), ""),
  devices: withDefault(
    array(string(), { description: "Names of the devices, or their paths below /dev" }),
    [],
  ),
  overwrite: withDefault(
    boolean({ description: "Whether what is on the devices may be lost" }),
    false,
  ),
});

export const command = builtin({
  name: "btrfs.create",
  summary: "Creates a btrfs file system on devices that are not in use",
  scope: "host",
  access: "admin",
  args,
  result: "null",
  run: async (_services, given) =>
    (await import("../../../storage/btrfs-change.ts")).createFilesystem(given),
});
