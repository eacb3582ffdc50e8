import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMANDS_PAGE, loadAllCommands, renderCommands } from "../../../../scripts/docs.ts";
import { builtin } from "../../../../src/api/services.ts";
import { array, integer, object, string, withDefault } from "../../../../src/base/schema.ts";

test("docs/commands.md is what the commands say (node scripts/docs.ts writes it)", async () => {
  const page = renderCommands(await loadAllCommands());
  expect(readFileSync(COMMANDS_PAGE, "utf8")).toBe(page);
});

test("every command has a name of its own, a summary in one line and a result", async () => {
  const commands = await loadAllCommands();
  expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
  for (const { name, summary, result } of commands) {
    expect(name).toMatch(/^[a-z]+([.][a-z_-]+)*$/);
    expect(summary, name).toMatch(/^[A-Z].{10,}$/);
    expect(result, name).toMatch(/^.{4,}$/);
  }
});

test("shows members of nested arguments, defaults and limits", () => {
  const command = builtin({
    name: "family.verb",
    summary: "Does a | b",
    scope: "host",
    access: "read",
    args: object(
      {
        id: string({ description: "which one" }),
        count: withDefault(integer({ minimum: 1, maximum: 9 }), 3),
        nics: array(object({ type: string({ enum: ["bridge", "vlan"] }) }, ["type"])),
      },
      ["id"],
    ),
    result: "null",
    run: () => null,
  });
  const page = renderCommands([command]).replaceAll(/ +/g, " ");
  expect(page).toContain("| [`family.verb`](#familyverb) | host | Does a \\| b |");
  expect(page).toContain("| `id` | string | yes | | which one |");
  expect(page).toContain("| `count` | integer | no | `3` | at least 1; at most 9 |");
  expect(page).toContain("| `nics` | array of object | no | | |");
  expect(page).toContain("| `nics[].type` | string | yes | | one of `bridge`, `vlan` |");
});
