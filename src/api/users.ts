import type { SecretDigest } from "../base/secret-bytes.ts";

/**
 * What a user may do: a reader runs commands that change nothing, an operator those that change what runs
 * on the node, an administrator all of them and every data command.
 */
export const ROLES = ["reader", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who is at the other end of a connection. */
export interface SessionUser {
  readonly name: string;
  readonly role: Role;
  /** Patterns of the commands that may be run, of those the role allows; null: all of them. */
  readonly allow: readonly string[] | null;
}

/** A user of the users file. */
export interface KnownUser extends SessionUser {
  readonly digest: SecretDigest;
  /** The one of this name before has another role, other commands, or another password. */
  readonly isOther: boolean;
}

/** Who has the password of the node, and root on its unix socket. */
export const NODE_USER: SessionUser = { name: "default", role: "admin", allow: null };

export const isUnrestricted = ({ role, allow }: SessionUser): boolean =>
  role === "admin" && allow === null;
