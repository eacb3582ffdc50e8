import type { Client } from "./client.ts";
import type { CommandMethods } from "./generated/methods.ts";
import { COMMANDS } from "./generated/names.ts";

/** A client with every command as a method. */
export type NodeClient = Client & CommandMethods;

/** Adds the methods: `bridge.nic-add` becomes `client.bridge.nicAdd`. @returns the same client */
export function withMethods(client: Client): NodeClient {
  const root = client as unknown as Record<string, unknown>;
  for (const [name, takesArguments, returns] of COMMANDS) {
    const path = name.split(".").map(camelCase);
    const method = path.pop() ?? name;
    let place = root;
    for (const word of path) {
      place[word] ??= {};
      place = place[word] as Record<string, unknown>;
    }
    place[method] = (...given: unknown[]) => {
      const args = takesArguments ? (given.shift() ?? {}) : {};
      const options = given[0] as object | undefined;
      return returns === "value"
        ? client.value(name, args, options)
        : client.run(name, args, options);
    };
  }
  return root as unknown as NodeClient;
}

/** `nic-add` and `nic_add` are `nicAdd`. */
function camelCase(word: string): string {
  return word.replaceAll(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase());
}
