import { readMemInfo } from "../../../sys/proc/mem-info.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "info.mem",
  summary: "Shows the memory counters of the machine",
  scope: "both",
  access: "read",
  result:
    "{total, available, used, free, active, inactive, wired, buffers, cached, writeback, dirty, " +
    "writebacktmp, shared, slab, pagetables, swapcached} in bytes, and usedPercent; wired is always 0",
  run: () => readMemInfo(),
});
