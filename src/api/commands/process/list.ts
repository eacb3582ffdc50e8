import { integer, object, withDefault } from "../../../base/schema.ts";
import { readProcess, readProcesses } from "../../../sys/proc/processes.ts";
import { builtin } from "../../services.ts";

const args = object({
  pid: withDefault(integer({ description: "only this process; 0 or less means all" }), 0),
});

export const command = builtin({
  name: "process.list",
  summary: "Lists the processes of the operating system, whether or not they are jobs",
  scope: "both",
  access: "read",
  args,
  result:
    "array of {pid, ppid, cmdline, name, createtime in ms since the epoch, cpu: {guestnice, idle, " +
    "iowait, irq, nice, softirq, steal, stolen, system, user} in s, rss, vms, swap in bytes, " +
    "rlimit: array of {resource 0 to 15, soft, hard, at most 2147483647}, ofd}; empty for an " +
    "unknown pid",
  run: async (_services, { pid }) => {
    if (pid <= 0) return readProcesses();
    const found = await readProcess(pid);
    return found === undefined ? [] : [found];
  },
});
