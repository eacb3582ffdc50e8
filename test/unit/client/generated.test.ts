import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderClientFiles } from "../../../scripts/client-files.ts";
import { loadAllCommands, renderAll } from "../../../scripts/docs.ts";
import { builtin } from "../../../src/api/services.ts";
import { array, integer, map, object, string, withDefault } from "../../../src/base/schema.ts";
import { Client } from "../../../src/client/client.ts";
import { COMMANDS } from "../../../src/client/generated/names.ts";
import { withMethods } from "../../../src/client/methods.ts";
import { FakeChannels } from "./fake-channels.ts";

const ENDPOINT = { host: "node", port: 1, path: "" };

test("every generated file is what the commands say (npm run docs writes them)", async () => {
  for (const [path, text] of renderAll(await loadAllCommands())) {
    expect(readFileSync(path, "utf8"), path).toBe(text);
  }
});

test("arguments and methods are typed by the schema of the command", () => {
  const command = builtin({
    name: "family.nic-add",
    summary: "Adds a link",
    scope: "host",
    access: "operate",
    args: object(
      {
        name: string(),
        mode: string({ enum: ["a", "b"] }),
        sizes: withDefault(array(integer()), []),
        tags: map(string()),
      },
      ["name"],
    ),
    result: "null",
    run: () => null,
  });
  const files = renderClientFiles([command]);
  expect(files["arguments.ts"]).toContain(
    '"family.nic-add": { readonly name: string; readonly mode?: "a" | "b" | null | undefined; ' +
      "readonly sizes?: readonly number[] | null | undefined; " +
      "readonly tags?: Readonly<Record<string, string | null>> | null | undefined };",
  );
  expect(files["methods.ts"]).toContain(
    'nicAdd(args: CommandArguments["family.nic-add"], limits?: Limits): Promise<CommandValue<"family.nic-add">>;',
  );
});

test("every command has a method that asks for it, and none hides one of the client", async () => {
  const asked: string[] = [];
  const node = new FakeChannels((name, args) => {
    asked.push(
      name === "RPUSH" ? (JSON.parse(args[1] ?? "") as { command: string }).command : name,
    );
    throw new Error("enough");
  });
  const members = Object.getOwnPropertyNames(Client.prototype);
  const client = withMethods(new Client(node, ENDPOINT)) as unknown as Record<string, unknown>;
  for (const [name] of COMMANDS) {
    const path = name
      .split(".")
      .map((word) => word.replaceAll(/[-_](\w)/g, (_, c) => c.toUpperCase()));
    expect(members).not.toContain(path[0]);
    let place: unknown = client;
    for (const word of path) place = (place as Record<string, unknown>)[word];
    await expect((place as () => Promise<unknown>)()).rejects.toThrow("enough");
  }
  expect(asked).toEqual(COMMANDS.map(([name]) => name));
});
