import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../base/errors.ts";
import type { NodeCommand } from "./services.ts";

/**
 * Imports every file below `commands/`; each exports one command as `command`. The bundler puts a
 * list made at build time in place of this module, so it holds nothing else.
 */
export async function loadCommands(): Promise<NodeCommand[]> {
  const directory = join(import.meta.dirname, "commands");
  const names = await readdir(directory, { recursive: true });
  const files = names.filter((name) => name.endsWith(".ts")).sort();
  return Promise.all(files.map((file) => loadCommand(join(directory, file))));
}

async function loadCommand(file: string): Promise<NodeCommand> {
  const { command } = (await import(file)) as { command?: NodeCommand };
  if (command !== undefined) return command;
  throw new AgentError("E_COMMAND_FILE", `Cannot load ${file}: no export named command`);
}
