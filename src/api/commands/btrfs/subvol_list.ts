import { object, string } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object({ path: string({ description: "Absolute path" }) }, ["path"]);

export const command = builtin({
  name: "btrfs.subvol_list",
  summary: "Lists the subvolumes below a path with their quota",
  scope: "host",
  access: "read",
  args,
  result: "array of {ID, Gen, TopLevel, Path, Quota: bytes, 0 if none}",
  run: async (_services, { path }) =>
    (await import("../../../storage/btrfs-show.ts")).listSubvolumes(path),
});
