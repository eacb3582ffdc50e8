import { AgentError } from "../base/errors.ts";
import type { BlockDevice } from "./block-device.ts";
import { runProgram } from "./program.ts";

/** The shape of `disk.smartctl-info`. */
export interface DriveIdentity {
  readonly model: string;
  readonly serial_number: string;
  readonly device_id: string;
  readonly firmware_version: string;
  readonly user_capacity: number;
  readonly sector_size: number;
  readonly rotation_rate: string;
  readonly device: string;
  readonly ata_version: string;
  readonly sata_version: string;
  readonly smart_support_available: boolean;
  readonly smart_support_enabled: boolean;
}

/** Bits of the exit status that say nothing could be asked; the others judge the drive (smartctl(8)). */
const FAILURES = 0b11;

export async function readDriveIdentity(device: BlockDevice): Promise<DriveIdentity> {
  return parseIdentity(await askDrive(device, "-i"));
}

/** @throws AgentError `E_SMART` when the drive gives no verdict. */
export async function readDriveHealth(device: BlockDevice): Promise<{ passed: boolean }> {
  return { passed: parseHealth(await askDrive(device, "-H")) };
}

async function askDrive(device: BlockDevice, what: "-i" | "-H"): Promise<string> {
  const { stdout } = await runProgram("smartctl", ["--json=c", what, device.path], {
    accepts: (status) => (status & FAILURES) === 0,
  });
  return stdout;
}

/**
 * Reads what `smartctl --json -i` prints. What a kind of drive does not have is empty, 0 or false.
 *
 * @throws AgentError `E_SMART`.
 */
export function parseIdentity(json: string): DriveIdentity {
  const found = parseObject(json);
  const text = (...path: string[]): string => asText(at(found, path));
  const capacity = at(found, ["user_capacity", "bytes"]) ?? 0;
  const sector = at(found, ["logical_block_size"]) ?? 0;
  if (!Number.isSafeInteger(capacity) || !Number.isSafeInteger(sector)) {
    const seen = JSON.stringify([capacity, sector]);
    throw new AgentError(
      "E_SMART",
      `Cannot read sizes of the drive: ${seen} seen, expected integers`,
    );
  }
  return {
    model: text("model_name") || [text("scsi_vendor"), text("scsi_product")].join(" ").trim(),
    serial_number: text("serial_number"),
    device_id: formatWwn(at(found, ["wwn"])) || text("logical_unit_id"),
    firmware_version: text("firmware_version") || text("scsi_revision"),
    user_capacity: capacity as number,
    sector_size: sector as number,
    rotation_rate: formatRotation(at(found, ["rotation_rate"])),
    device: text("device", "info_name") || text("device", "name"),
    ata_version: text("ata_version", "string"),
    sata_version: text("sata_version", "string"),
    smart_support_available: at(found, ["smart_support", "available"]) === true,
    smart_support_enabled: at(found, ["smart_support", "enabled"]) === true,
  };
}

/** Reads the verdict of `smartctl --json -H`. */
export function parseHealth(json: string): boolean {
  const passed = at(parseObject(json), ["smart_status", "passed"]);
  if (typeof passed === "boolean") return passed;
  throw new AgentError("E_SMART", "Cannot read the health of the drive: it gives no verdict");
}

function parseObject(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new AgentError("E_SMART", "Cannot read what smartctl printed: no JSON seen", {
      cause: error,
    });
  }
}

function at(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const name of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string, unknown>)[name];
  }
  return here ?? undefined;
}

const asText = (value: unknown): string => (typeof value === "string" ? value : "");

/** As smartctl prints it for people: `5 000c50 0a1b2c3d4`. */
function formatWwn(wwn: unknown): string {
  const [naa, oui, id] = ["naa", "oui", "id"].map((name) => at(wwn, [name]));
  if (typeof naa !== "number" || typeof oui !== "number" || typeof id !== "number") return "";
  return [
    naa.toString(16),
    oui.toString(16).padStart(6, "0"),
    id.toString(16).padStart(9, "0"),
  ].join(" ");
}

function formatRotation(rate: unknown): string {
  if (rate === 0) return "Solid State Device";
  return typeof rate === "number" ? `${rate} rpm` : "";
}
