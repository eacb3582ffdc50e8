import { object, string } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object(
  { device: string({ description: "Name of the drive, as sda, or its path below /dev" }) },
  ["device"],
);

export const command = builtin({
  name: "disk.smartctl-info",
  summary: "Reads what a drive says about itself",
  scope: "host",
  access: "read",
  args,
  result:
    "{model, serial_number, device_id, firmware_version, user_capacity, sector_size, rotation_rate, device, ata_version, sata_version, smart_support_available, smart_support_enabled}",
  run: async (_services, { device }) =>
    (await import("../../../storage/drive-commands.ts")).identify(device),
});
