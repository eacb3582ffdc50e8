import { errorText } from "../base/errors.ts";
import { string, withDefault } from "../base/schema.ts";
import { CommandError } from "../command/command.ts";
import type { FileRequest } from "../sys/file-requests.ts";
import { perAgent } from "./per-agent.ts";
import type { Services } from "./services.ts";

/** What the `filesystem.*` commands have in common. Every failure is code 500. */

export const pathArgument = (description = "Path; a relative one counts from /") =>
  withDefault(string({ description }), "");

export const descriptorArgument = () =>
  withDefault(string({ description: "Descriptor from filesystem.open" }), "");

const helperOf = perAgent(async () => {
  const { FileProcess } = await import("../sys/file-process.ts");
  return new FileProcess();
});

/** Has it done by the file helper. */
export async function runFileRequest(services: Services, request: FileRequest): Promise<unknown> {
  const helper = await helperOf(services);
  try {
    return await helper.run(request);
  } catch (error) {
    throw new CommandError(500, errorText(error), error);
  }
}
