import { errorText } from "../../../base/errors.ts";
import { object, string, withDefault } from "../../../base/schema.ts";
import { CommandError } from "../../../command/command.ts";
import { builtin } from "../../services.ts";

export const command = builtin({
  name: "web.download",
  summary: "Downloads a URL to a file, whatever the status of the answer is",
  scope: "host",
  access: "admin",
  result: "string: the destination",
  args: object({
    url: withDefault(string({ description: "http or https" }), ""),
    destination: withDefault(
      string({ description: "Path of the file, made with mode 0660 or emptied" }),
      "",
    ),
  }),
  run: async (_services, { url, destination }, { signal }) => {
    for (const [name, value] of Object.entries({ url, destination })) {
      if (value === "") throw new CommandError(500, `Cannot download: no ${name} seen`);
    }
    try {
      const { startDownload } = await import("../../../sys/download/start.ts");
      await startDownload({ url, destination }, signal);
    } catch (error) {
      throw new CommandError(500, errorText(error), error);
    }
    return destination;
  },
});
