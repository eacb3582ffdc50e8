import { heapStatistics } from "../../../../sys/heap-statistics.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "pprof.mem.stat",
  summary: "Shows how much memory the agent uses, and for what",
  scope: "host",
  access: "admin",
  result:
    "object of bytes: rss, heap_total, heap_used, heap_limit, heap_physical, external, array_buffers, malloced, " +
    "malloced_peak, global_handles; and of counts: contexts, contexts_detached",
  run: () => heapStatistics(),
});
