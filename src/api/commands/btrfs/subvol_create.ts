import { object, string } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object({ path: string({ description: "Absolute path" }) }, ["path"]);

export const command = builtin({
  name: "btrfs.subvol_create",
  summary: "Creates a subvolume",
  scope: "host",
  access: "admin",
  args,
  result: "null",
  run: async (_services, { path }) =>
    (await import("../../../storage/btrfs-change.ts")).createSubvolume(path),
});
