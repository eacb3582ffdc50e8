import { readBonds } from "../../../../sys/proc/bonds.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "ip.bond.list",
  summary: "Shows the status of all bonds in the words of the kernel",
  scope: "both",
  access: "read",
  result:
    "object, for each bond an array with one {label: text after the first colon} for each section",
  run: () => readBonds(),
});
