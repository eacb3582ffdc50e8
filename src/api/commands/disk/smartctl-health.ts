import { object, string } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  { device: string({ description: "Name of the drive, as sda, or its path below /dev" }) },
  ["device"],
);

export const command = builtin({
  name: "disk.smartctl-health",
  summary: "Asks a drive for its verdict on its own health",
  scope: "host",
  access: "read",
  args,
  result: "{passed}",
  run: async (_services, { device }) =>
    (await import("../../../storage/drive-commands.ts")).judge(device),
});
