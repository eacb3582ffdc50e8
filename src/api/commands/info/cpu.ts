import { readCpus } from "../../../sys/proc/cpu-info.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "info.cpu",
  summary: "Lists the logical CPUs as the kernel describes them",
  scope: "both",
  access: "read",
  result:
    "array of {cpu, vendorId, family, model, stepping, physicalId, coreId, cores, modelName, mhz, " +
    "cacheSize in KiB, flags, microcode}; family, model, physicalId and coreId are strings",
  run: () => readCpus(),
});
