import { array, object, string } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  {
    mountpoint: string({ description: "Absolute path of the mounted file system" }),
    devices: array(string(), { description: "Names of the devices, or their paths below /dev" }),
  },
  ["mountpoint", "devices"],
);

export const command = builtin({
  name: "btrfs.device_add",
  summary: "Adds devices that are not in use to a mounted file system",
  scope: "host",
  access: "admin",
  args,
  result: "null",
  run: async (_services, { mountpoint, devices }) =>
    (await import("../../../storage/btrfs-change.ts")).addDevices(mountpoint, devices),
});
