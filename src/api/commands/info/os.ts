import { readHostInfo } from "../../../sys/proc/host-info.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "info.os",
  summary: "Identifies the machine and its system",
  scope: "both",
  access: "read",
  result:
    "{hostname, uptime in s, bootTime in s since the epoch, procs, os, platform, platformFamily, " +
    "platformVersion, kernelVersion, virtualizationSystem, virtualizationRole, hostid}; hostid is " +
    "the product UUID or, without one, the boot id, in lower case",
  run: () => readHostInfo(),
});
