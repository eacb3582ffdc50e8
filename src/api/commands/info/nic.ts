import { readLinks } from "../../../sys/proc/links.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "info.nic",
  summary: "Lists all network links with their addresses, by kernel index",
  scope: "both",
  access: "read",
  result:
    "array of {mtu, name, hardwareaddr, flags or null, addrs: array of {addr: ip/prefix}, speed in " +
    "Mbit/s (0 or -1 if unknown), carrier, operstate (true only when up)}",
  run: () => readLinks(),
});
