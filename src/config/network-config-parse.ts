import toml from "@iarna/toml";
import { errorText } from "../base/errors.ts";
import { readInterface } from "./network-config-interface.ts";
import { checkTogether } from "./network-config-links.ts";
import { Mistakes, TableReader, type TomlTable } from "./network-config-table.ts";
import {
  checkCaPath,
  checkControllerUrl,
  checkDomain,
  checkNameServer,
  checkProbe,
} from "./network-config-values.ts";
import {
  type ControllerConfig,
  DEFAULT_NETWORK_CONFIG,
  type InterfaceConfig,
  type LoadedNetworkConfig,
} from "./network-types.ts";
import { scanToml } from "./toml-lines.ts";

const SECTIONS = ["network", "interface", "static", "controller"];
const NETWORK_KEYS = ["auto", "dhcp_limit", "dns", "search", "probes"];
const MAX_BYTES = 1024 * 1024;

/**
 * Parses and checks a `net.toml`. Never throws: what cannot be used is a problem. This file loads the
 * TOML parser, so it is imported when there is something to parse.
 */
export function parseNetworkConfig(text: string, file: string): LoadedNetworkConfig {
  const fail = (place: string, what: string): LoadedNetworkConfig => ({
    file,
    isPresent: true,
    config: DEFAULT_NETWORK_CONFIG,
    problems: [`Cannot read ${file}${place}: ${what}`],
  });
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) return fail("", `${bytes} bytes seen, expected at most ${MAX_BYTES}`);
  const strange = /[\0\uFFFD]/.exec(text);
  if (strange !== null) {
    const line = text.slice(0, strange.index).split("\n").length;
    const seen = strange[0] === "\0" ? "a zero byte" : "bytes that are not UTF-8";
    return fail(`:${line}`, `${seen} seen, expected TOML in UTF-8`);
  }
  const plain = text.replace(/^\uFEFF/, "");
  const { lineOf, danger } = scanToml(plain);
  if (danger !== undefined) return fail(`:${danger.line}`, `${danger.seen} seen, expected none`);
  try {
    return check(toml.parse(plain), new Mistakes(file, lineOf));
  } catch (error) {
    const { place, what } = describeSyntax(error);
    return fail(place, what);
  }
}

function check(parsed: TomlTable, mistakes: Mistakes): LoadedNetworkConfig {
  const root = new TableReader(mistakes, [], parsed);
  const general = readGeneral(root.table("network"));
  const controllers = readControllers(root);
  const before = mistakes.count;
  // An unknown section may be a misspelt interface.
  root.allow(SECTIONS);
  const interfaces = readInterfaces(root);
  const isBroken = mistakes.count > before;
  return {
    file: mistakes.file,
    isPresent: true,
    config: isBroken
      ? { ...general, auto: false, interfaces: [], controllers }
      : { ...general, interfaces, controllers },
    problems: mistakes.sentences(),
  };
}

function readGeneral(table: TableReader | undefined) {
  if (table === undefined) return DEFAULT_NETWORK_CONFIG;
  const { auto, dhcpLimitSeconds } = DEFAULT_NETWORK_CONFIG;
  table.allow(NETWORK_KEYS);
  const texts = <T>(found: { value: T }[]): T[] => found.map(({ value }) => value);
  return {
    auto: table.boolean("auto", auto),
    dhcpLimitSeconds: table.integer("dhcp_limit", { minimum: 1, maximum: 300 }) ?? dhcpLimitSeconds,
    dns: {
      servers: texts(table.texts("dns", checkNameServer)),
      search: texts(table.texts("search", checkDomain)),
    },
    probes: texts(table.texts("probes", checkProbe)),
  };
}

function readControllers(root: TableReader): ControllerConfig[] {
  const found: ControllerConfig[] = [];
  for (const table of root.tables("controller", "[[controller]]")) {
    table.allow(["url", "ca"]);
    const url = table.text("url", checkControllerUrl);
    const ca = table.text("ca", checkCaPath);
    if (!table.has("url")) table.missing("url", "https://HOST or https://HOST:PORT");
    if (!table.has("ca")) table.missing("ca", "the absolute path of a PEM file");
    if (url === undefined || ca === undefined) continue;
    if (found.some((other) => other.url === url)) {
      table.refuse(table.at("url"), url, "each controller once");
    } else {
      found.push({ url, ca });
    }
  }
  return found;
}

function readInterfaces(root: TableReader): InterfaceConfig[] {
  const { mistakes } = root;
  const sections = root.table("interface")?.children() ?? [];
  const fixed = new Map(root.table("static")?.children() ?? []);
  const names = new Set(sections.map(([name]) => name));
  for (const [name, table] of fixed) {
    if (!names.has(name)) {
      const wanted = `a section [interface.${name}] with protocol = "static"`;
      mistakes.add(table.path, `[static.${name}] alone`, wanted);
    }
  }
  const before = mistakes.count;
  const read = sections.flatMap(
    ([name, section]) => readInterface(name, section, fixed.get(name)) ?? [],
  );
  if (mistakes.count === before) checkTogether(read, mistakes);
  return read;
}

/** The parser counts lines from 0 and puts a drawing of the place below its first line. */
function describeSyntax(error: unknown): { place: string; what: string } {
  const line = (error as { line?: unknown }).line;
  const text = error instanceof Error ? (error.message.split("\n")[0] ?? "") : errorText(error);
  return {
    place: typeof line === "number" ? `:${line + 1}` : "",
    what: text.replace(/ at row \d+, col \d+.*$/, ""),
  };
}
