import { askOverlay } from "../../overlay-of.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "zerotier.info",
  summary: "Shows the status of the node's ZeroTier service",
  scope: "host",
  access: "read",
  result: "status object of the ZeroTier service (address, publicIdentity, online, version, ...)",
  run: (services) => askOverlay(services, (overlay) => overlay.info()),
});
