import { AgentError } from "../base/errors.ts";

export interface SshdAddress {
  readonly host: string;
  readonly port: number;
}

export interface SshdPlan {
  readonly listen: readonly SshdAddress[];
  /** Absolute paths. */
  readonly hostKeys: readonly string[];
  readonly authorizedKeys: string;
  /** Names the keys in force: other keys give another text. */
  readonly fingerprints: readonly string[];
  /** Own settings that are read before ours and so win; null without. */
  readonly own: { readonly path: string; readonly text: string } | null;
}

/**
 * Builds the configuration of sshd. The first value of a setting wins, so own settings stand before ours
 * and ours fill in the rest; keys, addresses and subsystems add up, so ours are left out there.
 *
 * @throws AgentError `E_SSHD_CONFIG` for an address or a path that is not one.
 * Source: sshd_config(5).
 */
export function buildSshdConfig({
  listen,
  hostKeys,
  authorizedKeys,
  fingerprints,
  own,
}: SshdPlan): string {
  const names = new Set(own === null ? [] : settingNames(own.text));
  const includes = own === null ? [] : [`Include ${pathOf(own.path)}`];
  const addresses =
    names.has("listenaddress") || names.has("port")
      ? []
      : listen.map((address) => `ListenAddress ${formatAddress(address)}`);
  const keys = names.has("hostkey") ? [] : hostKeys.map((path) => `HostKey ${pathOf(path)}`);
  const subsystem = names.has("subsystem") ? [] : ["Subsystem sftp internal-sftp"];
  return [
    "# Written by node0 at each start of sshd; changes are lost.",
    ...fingerprints.map((text) => `# ${text.replaceAll(/[^\x20-\x7e]/g, "")}`),
    ...includes,
    ...addresses,
    ...keys,
    `AuthorizedKeysFile ${pathOf(authorizedKeys)}`,
    ...DEFAULTS,
    ...subsystem,
    "",
  ].join("\n");
}

/** Root by key, and nothing that was not asked for. */
const DEFAULTS = [
  "AllowUsers root",
  "PermitRootLogin prohibit-password",
  "PubkeyAuthentication yes",
  "PasswordAuthentication no",
  "KbdInteractiveAuthentication no",
  "HostbasedAuthentication no",
  "PermitEmptyPasswords no",
  "PermitUserRC no",
  "PermitUserEnvironment no",
  "UsePAM no",
  "UseDNS no",
  "X11Forwarding no",
  "AllowAgentForwarding no",
  "PermitTunnel no",
  "PrintMotd no",
  "PrintLastLog no",
  "PidFile none",
  "StrictModes yes",
  "LoginGraceTime 30",
  "MaxAuthTries 4",
  "MaxStartups 10:30:60",
  "ClientAliveInterval 60",
  "LogLevel VERBOSE",
];

/** Lower-case names of the settings a file makes, those inside Match blocks included. */
function settingNames(text: string): string[] {
  return [...text.matchAll(/^[ \t]*([A-Za-z0-9]+)[ \t="]/gm)].map(([, name = ""]) =>
    name.toLowerCase(),
  );
}

function formatAddress({ host, port }: SshdAddress): string {
  const isHost = /^[0-9A-Fa-f:.]+(%[\w.-]+)?$/.test(host);
  if (!isHost || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw refused(`${host}:${port}`, "an IP address and a port");
  }
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Neither blanks, quotes nor the characters sshd expands. */
function pathOf(path: string): string {
  if (/^\/[\w./@+-]+$/.test(path)) return path;
  throw refused(JSON.stringify(path), "an absolute path of letters, digits and ._-@+");
}

function refused(seen: string, expected: string): AgentError {
  return new AgentError(
    "E_SSHD_CONFIG",
    `Cannot write the configuration of sshd: ${seen} seen, expected ${expected}`,
  );
}

/** Addresses of `sshd -T`, which prints all settings in force. */
export function parseListenAddresses(text: string): SshdAddress[] {
  const found = text.matchAll(/^listenaddress \[?([^\]\s]+?)\]?:(\d+)$/gm);
  return [...found].map(([, host = "", port]) => ({ host, port: Number(port) }));
}
