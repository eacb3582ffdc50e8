import { readDeviceMounts } from "../../../sys/proc/mounts.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "info.disk",
  summary: "Lists the mounted file systems that live on a device",
  scope: "both",
  access: "read",
  result: "array of {device, mountpoint, fstype, opts}; opts is comma separated",
  run: () => readDeviceMounts(),
});
