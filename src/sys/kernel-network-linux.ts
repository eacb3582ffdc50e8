import { AgentError } from "../base/errors.ts";
import type { KernelNetwork } from "./network-state.ts";

/** Opens the network of the kernel for this process's namespace. */
export function openKernelNetwork(): KernelNetwork {
  throw new AgentError("E_NETLINK", "Cannot open netlink: not in this build");
}
