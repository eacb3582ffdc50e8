import { boolean, object, string, withDefault } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  {
    source: string({ description: "Absolute path of the subvolume" }),
    destination: string({ description: "Absolute path of the snapshot" }),
    read_only: withDefault(boolean({ description: "Whether nothing may be changed in it" }), false),
  },
  ["source", "destination"],
);

export const command = builtin({
  name: "btrfs.subvol_snapshot",
  summary: "Takes a snapshot of a subvolume",
  scope: "host",
  access: "admin",
  args,
  result: "null",
  run: async (_services, given) =>
    (await import("../../../storage/btrfs-change.ts")).takeSnapshot(given),
});
