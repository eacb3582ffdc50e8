import { expect, test } from "vitest";
import { command } from "../../../../src/api/commands/core/reload.ts";
import type { Services } from "../../../../src/api/services.ts";

const run = async (services: Partial<Services>): Promise<unknown> => {
  if (command.kind !== "builtin") throw new Error("core.reload is not a built-in");
  const job = { id: "1", emit: () => undefined, signal: new AbortController().signal };
  return command.run(services as Services, undefined, job);
};

test("core.reload answers what reading the password again came to", async () => {
  const outcome = { origin: "private", isChanged: true, isRenewed: false, problems: [] } as const;
  expect(await run({ password: { reload: async () => outcome } })).toEqual(outcome);
});

test("core.reload is refused where the password belongs to the host", async () => {
  await expect(run({})).rejects.toMatchObject({ code: 406 });
  await expect(run({ password: null })).rejects.toThrow("Cannot reload the password");
});
