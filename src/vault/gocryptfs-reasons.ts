import { AgentError } from "../base/errors.ts";

/**
 * Why gocryptfs ended instead of mounting.
 *
 * @param code Exit code; null after a signal.
 * @param line Last line of its output.
 * @returns AgentError `E_VAULT_KEY` | `E_VAULT_CIPHERTEXT` | `E_VAULT_MOUNT`.
 * Source: gocryptfs(1), "EXIT CODES", and its package exitcodes.
 */
export function gocryptfsReason(code: number | null, line: string): AgentError {
  const [kind, reason] = REASONS[code ?? -1] ?? [
    "E_VAULT_MOUNT",
    code === null ? "gocryptfs was killed" : `gocryptfs ended with code ${code}`,
  ];
  const shown = line.replaceAll(/\p{Cc}+/gu, " ").slice(0, SHOWN);
  const detail = kind === "E_VAULT_KEY" || shown === "" ? "" : ` (${shown})`;
  return new AgentError(kind, `${reason}${detail}`);
}

const SHOWN = 160;
const DAMAGED = "the ciphertext is damaged: gocryptfs.conf";

const REASONS: Readonly<Record<number, readonly [string, string]>> = {
  6: ["E_VAULT_CIPHERTEXT", "the directory of the ciphertext cannot be used"],
  8: ["E_VAULT_CIPHERTEXT", `${DAMAGED} cannot be understood`],
  10: ["E_VAULT_MOUNT", "the mount point cannot be used"],
  11: ["E_VAULT_CIPHERTEXT", `${DAMAGED} cannot be understood`],
  12: [
    "E_VAULT_KEY",
    "the key does not open the ciphertext: wrong key, or gocryptfs.conf is damaged",
  ],
  13: ["E_VAULT_CIPHERTEXT", `${DAMAGED} has impossible parameters`],
  19: ["E_VAULT_MOUNT", "the kernel or fusermount refused the mount"],
  23: ["E_VAULT_CIPHERTEXT", "the ciphertext is not complete: gocryptfs.conf cannot be read"],
  27: ["E_VAULT_CIPHERTEXT", `${DAMAGED} names a format that is not supported`],
};
