import { ZEROTIER_PORT } from "./zerotier-api.ts";

/** `local.conf` as the service gets it. */
export interface LocalConf {
  readonly text: string;
  /** Port of the local API, and of the traffic of ZeroTier itself. */
  readonly port: number;
  /** One sentence for each part that is not used. */
  readonly problems: readonly string[];
}

type Members = Record<string, unknown>;

/**
 * Builds `local.conf` from what the operator wrote. A text that is broken costs its own settings and not
 * the overlay. The local API stays local, whatever the text says: its token is worth as much as the
 * machine.
 *
 * @param text Undefined where there is no file.
 * @param file Name of the file, for the problems.
 * Source: ZeroTier One, "Local Configuration File".
 */
export function buildLocalConf(text: string | undefined, file: string): LocalConf {
  const problems: string[] = [];
  const given = text === undefined ? {} : parse(text, file, problems);
  const settings = isMembers(given["settings"]) ? given["settings"] : {};
  if (given["settings"] !== undefined && settings !== given["settings"]) {
    problems.push(mistake(file, "settings", given["settings"], "an object"));
  }
  const port = choosePort(settings["primaryPort"], file, problems);
  const kept: Members = { ...DEFAULTS, ...settings, primaryPort: port };
  if (!staysLocal(kept["allowManagementFrom"])) {
    const value = kept["allowManagementFrom"];
    problems.push(
      mistake(file, "settings.allowManagementFrom", value, "addresses of 127.0.0.0/8 or ::1"),
    );
    delete kept["allowManagementFrom"];
  }
  return { text: `${JSON.stringify({ ...given, settings: kept }, null, 2)}\n`, port, problems };
}

/** The program comes with the image: it must not replace itself. */
const DEFAULTS: Members = { softwareUpdate: "disable" };

function parse(text: string, file: string, problems: string[]): Members {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    problems.push(`Cannot use ${file}: ${oneLine(why)}, expected JSON; it is left out`);
    return {};
  }
  if (isMembers(value)) return value;
  problems.push(
    `Cannot use ${file}: ${shorten(value)} seen, expected a JSON object; it is left out`,
  );
  return {};
}

function choosePort(value: unknown, file: string, problems: string[]): number {
  if (value === undefined || value === null) return ZEROTIER_PORT;
  if (Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536) return Number(value);
  problems.push(mistake(file, "settings.primaryPort", value, "an integer from 1 to 65535"));
  return ZEROTIER_PORT;
}

/** Null and nothing mean the machine itself; older services take one text, newer ones a list. */
function staysLocal(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  const networks = Array.isArray(value) ? (value as unknown[]) : [value];
  return networks.every((network) => typeof network === "string" && isLoopback(network));
}

function isLoopback(network: string): boolean {
  if (network === "::1" || network === "::1/128") return true;
  const [, prefix] = /^127(?:\.\d{1,3}){3}(?:\/(\d{1,2}))?$/.exec(network) ?? [undefined, "0"];
  return Number(prefix ?? 32) >= 8;
}

function mistake(file: string, key: string, value: unknown, wanted: string): string {
  return `Cannot use ${key} in ${file}: ${shorten(value)} seen, expected ${wanted}; it is left out`;
}

function shorten(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ").slice(0, 160);
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
