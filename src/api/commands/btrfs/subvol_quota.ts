import { object, string } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  {
    path: string({ description: "Absolute path" }),
    limit: string({ description: "Bytes, with a unit as 100M, or none" }),
  },
  ["path", "limit"],
);

export const command = builtin({
  name: "btrfs.subvol_quota",
  summary: "Limits the bytes a subvolume may hold",
  scope: "host",
  access: "admin",
  args,
  result: "null",
  run: async (_services, { path, limit }) =>
    (await import("../../../storage/btrfs-change.ts")).limitSubvolume(path, limit),
});
