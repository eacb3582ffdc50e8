import { askOverlay } from "../../overlay-of.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "zerotier.list",
  summary: "Lists the ZeroTier networks this node has joined",
  scope: "host",
  access: "read",
  result:
    "array of network objects of the ZeroTier service (nwid, name, status, type, mac, " +
    "assignedAddresses, portDeviceName, ...)",
  run: (services) => askOverlay(services, (overlay) => overlay.list()),
});
