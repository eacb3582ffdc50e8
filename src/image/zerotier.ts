import { access, constants, stat } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { AgentError } from "../base/errors.ts";
import { isElf, readElfNeeds } from "./elf.ts";

/** Where the program lies in the image. */
export const ZEROTIER_PATH = "usr/sbin/zerotier-one";

/** Value of `--zerotier-bin` that leaves it out even where one is installed. */
export const NO_ZEROTIER = "none";

const LIBRARY_DIRS = ["usr/lib/x86_64-linux-gnu", "usr/lib", "usr/lib64"];
const PROGRAM_DIRS = ["usr/sbin", "usr/bin"];

/**
 * The program the overlay is joined with: the one named, else the one in `PATH`.
 *
 * @returns Undefined where there is none.
 * @throws AgentError `E_IMAGE_FILE` when the named one is no executable file.
 */
export async function findZerotier(
  named: string | undefined,
  searchPath = process.env["PATH"] ?? "",
): Promise<string | undefined> {
  if (named === NO_ZEROTIER) return undefined;
  if (named !== undefined) {
    if (await isProgram(named)) return named;
    throw new AgentError(
      "E_IMAGE_FILE",
      `Cannot use --zerotier-bin: ${named} seen, expected a file that can be executed, or ${NO_ZEROTIER}`,
    );
  }
  for (const dir of searchPath.split(delimiter).filter((entry) => entry.startsWith("/"))) {
    const file = join(dir, basename(ZEROTIER_PATH));
    if (await isProgram(file)) return file;
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/**
 * What an image lacks to start a program: the interpreter of a script, or the dynamic loader and the
 * libraries of a binary. What those libraries need is the business of whoever put them there.
 *
 * @param file Name for messages.
 * @param has Whether the image holds a file or link, its path without a slash in front.
 * @throws AgentError `E_IMAGE_ELF`
 */
export function listMissingNeeds(
  bytes: Buffer,
  { file, has }: { readonly file: string; readonly has: (path: string) => boolean },
): string[] {
  return isElf(bytes) ? missingForElf(bytes, file, has) : missingForScript(bytes, has);
}

function missingForElf(bytes: Buffer, file: string, has: (path: string) => boolean): string[] {
  const { interpreter, libraries } = readElfNeeds(bytes, file);
  const found = (name: string) => LIBRARY_DIRS.some((dir) => has(`${dir}/${name}`));
  return [
    ...(interpreter === null || hasAbsolute(interpreter, has) ? [] : [interpreter]),
    ...libraries.filter((name) => (name.includes("/") ? !hasAbsolute(name, has) : !found(name))),
  ];
}

/** `#!/bin/sh`, `#!/usr/bin/env -S node --flag`. */
function missingForScript(bytes: Buffer, has: (path: string) => boolean): string[] {
  const [first = ""] = bytes.toString("latin1", 0, 256).split("\n");
  const [interpreter = "", ...words] = first.replace(/^#!/, "").trim().split(/\s+/);
  if (!first.startsWith("#!") || interpreter === "") return ["an interpreter (no #! and no ELF)"];
  if (!hasAbsolute(interpreter, has)) return [interpreter];
  if (basename(interpreter) !== "env") return [];
  const program = words.find((word) => !word.startsWith("-") && !word.includes("=")) ?? "";
  return PROGRAM_DIRS.some((dir) => has(`${dir}/${program}`)) ? [] : [program || "a program"];
}

/** `bin`, `sbin`, `lib` and `lib64` are links into `usr`. */
function hasAbsolute(path: string, has: (path: string) => boolean): boolean {
  return path.startsWith("/") && has(path.slice(1).replace(/^(bin|sbin|lib|lib64)\//, "usr/$1/"));
}
