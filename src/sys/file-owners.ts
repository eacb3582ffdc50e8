import { readFile } from "node:fs/promises";
import { AgentError } from "../base/errors.ts";

/** Numbers of a user and a group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** @throws AgentError `E_FILE` for a name that is not in `/etc/passwd` or `/etc/group`. */
export async function findOwner(user: string, group: string): Promise<Owner> {
  const [users, groups] = await Promise.all([
    readFile("/etc/passwd", "utf8"),
    readFile("/etc/group", "utf8"),
  ]);
  return {
    uid: numberOf(users, user, "user", "/etc/passwd"),
    gid: numberOf(groups, group, "group", "/etc/group"),
  };
}

/** Both files have the name in the first field and the number in the third. Source: passwd(5), group(5). */
function numberOf(text: string, name: string, what: string, file: string): number {
  for (const line of text.split("\n")) {
    const [first, , third = ""] = line.split(":");
    if (first === name && name !== "" && /^\d{1,10}$/.test(third)) return Number(third);
  }
  const seen = JSON.stringify(name.slice(0, 60));
  throw new AgentError("E_FILE", `Cannot find ${what} ${seen}, expected a name of ${file}`);
}
