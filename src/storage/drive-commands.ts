import { errorText } from "../base/errors.ts";
import { CommandError } from "../command/command.ts";
import { type BlockDevice, findBlockDevice } from "./block-device.ts";
import { measureSeekTime, type SeekTime } from "./seek-time.ts";
import { type DriveIdentity, readDriveHealth, readDriveIdentity } from "./smart.ts";
import { isStandby, setStandbyTimer } from "./standby.ts";

/** What the commands about drives do, with the codes the wire protocol gives their failures. */

export async function identify(device: string): Promise<DriveIdentity> {
  return readDriveIdentity(findBlockDevice(device));
}

export async function judge(device: string): Promise<{ passed: boolean }> {
  return readDriveHealth(findBlockDevice(device));
}

export async function measure(disk: string): Promise<SeekTime> {
  return measureSeekTime(findBlockDevice(disk));
}

/** @throws CommandError 400 for an unknown device and a value above 240, 500 below 0. */
export async function spinDown(disk: string, timer: number): Promise<void> {
  if (timer < 0 || timer > LONGEST_TIMER) {
    const message = `Cannot set the timer of a drive: ${timer} seen, expected 0 to ${LONGEST_TIMER}`;
    throw new CommandError(timer < 0 ? 500 : 400, message);
  }
  await setStandbyTimer(deviceOr400(disk), timer);
}

/** @throws CommandError 400 for an unknown device and an answer that says nothing. */
export async function tellStandby(disk: string): Promise<boolean> {
  try {
    return await isStandby(deviceOr400(disk));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(400, errorText(error), error);
  }
}

const LONGEST_TIMER = 240;

function deviceOr400(disk: string): BlockDevice {
  try {
    return findBlockDevice(disk);
  } catch (error) {
    throw new CommandError(400, errorText(error), error);
  }
}
