import { object, string, withDefault } from "../../../base/schema.ts";
import { builtin } from "../../services.ts";

const args = object({
  partuuid: withDefault(
    string({ description: "UUID of the partition; no match is a success" }),
    "",
  ),
});

export const command = builtin({
  name: "disk.protect",
  summary: "Makes the partition with a UUID and its disk read-only until the machine starts again",
  scope: "host",
  access: "admin",
  args,
  result: "null",
  run: async (_services, { partuuid }) =>
    (await import("../../../storage/protect.ts")).protectPartition(partuuid),
});
