import { object, string, withDefault } from "../../../../base/schema.ts";
import { builtin } from "../../../services.ts";

export const command = builtin({
  name: "pprof.mem.write",
  summary: "Writes a snapshot of the agent's heap; the agent stands still meanwhile",
  scope: "host",
  access: "admin",
  result: "null",
  args: object({
    file: withDefault(string({ description: "Path the .heapsnapshot is written to" }), ""),
  }),
  run: async (_services, { file }) => {
    const { writeHeapSnapshot } = await import("../../../../sys/heap-snapshot.ts");
    await writeHeapSnapshot(file);
  },
});
