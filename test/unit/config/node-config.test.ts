import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  configToWire,
  DEFAULT_NODE_CONFIG,
  loadNodeConfig,
} from "../../../src/config/node-config.ts";
import { CONFIG_KEYS } from "../../../src/config/node-config-keys.ts";
import { parseToml } from "../../../src/config/toml-text.ts";
import { MemoryFiles } from "../../fakes/memory-files.ts";

const FILE = "/etc/node0/node0.toml";
const load = (text: string) => loadNodeConfig(new MemoryFiles({ [FILE]: text }), FILE);

test("without a file the defaults count and nothing is reported", async () => {
  expect(await loadNodeConfig(new MemoryFiles(), FILE)).toEqual({
    config: DEFAULT_NODE_CONFIG,
    problems: [],
  });
});

test("the shipped file changes nothing, and shows every default", async () => {
  const shipped = readFileSync("etc/node0/node0.toml", "utf8");
  const shown = shipped.replaceAll(/^#(?=\S)/gm, "");
  expect(shown).toContain("\nmax_jobs = ");
  expect(await load(shipped)).toEqual({ config: DEFAULT_NODE_CONFIG, problems: [] });
  expect(await load(shown)).toEqual({ config: DEFAULT_NODE_CONFIG, problems: [] });
});

test("the shipped file shows every key", () => {
  const shipped = readFileSync("etc/node0/node0.toml", "utf8").replaceAll(/^#(?=\S)/gm, "");
  const parsed = parseToml({ file: FILE, text: shipped });
  const shown = (path: readonly string[]): boolean => {
    let value: unknown = parsed.table;
    for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
    return value !== undefined;
  };
  const keys = CONFIG_KEYS.map(({ path }) => path).filter((path) => !path.includes("*"));
  expect(keys.length).toBeGreaterThan(30);
  expect(keys.filter((path) => !shown(path))).toEqual([]);
});

test("given values lie over the defaults", async () => {
  const { config, problems } = await load(
    [
      "[main]",
      "max_jobs = 7",
      'include = ["/etc/node0/conf"]',
      "[globals]",
      'fs = "store.example"',
      "[extension.hello]",
      'binary = "/bin/echo"',
      'args = ["{text}"]',
      'env = { LANG = "C" }',
      "[logging]",
      "ledis.size = 10",
    ].join("\n"),
  );
  expect(problems).toEqual([]);
  expect(config.main).toEqual({
    ...DEFAULT_NODE_CONFIG.main,
    max_jobs: 7,
    include: ["/etc/node0/conf"],
  });
  expect(config.globals).toEqual({ fs: "store.example" });
  expect(config.extension).toEqual({
    hello: {
      binary: "/bin/echo",
      cwd: "",
      env: { LANG: "C" },
      args: ["{text}"],
      access: "admin",
    },
  });
  expect(config.logging.ledis).toEqual({ levels: [], size: 10 });
  expect(config.logging.file).toEqual(DEFAULT_NODE_CONFIG.logging.file);
});

test.each([
  [
    "[main]\nmax_jobs = 0",
    `main.max_jobs in ${FILE}:2: 0 seen, expected an integer from 1 to 16777216`,
  ],
  [
    '[main]\n\nlog_level = "loud"',
    `main.log_level in ${FILE}:3: "loud" seen, expected one of debug, info, warn, error`,
  ],
  [
    "[main]\nmax_jobs = 99999999999999999",
    `main.max_jobs in ${FILE}:2: 99999999999999999 seen, expected`,
  ],
  ["main = 3", `main in ${FILE}:1: 3 seen, expected a table`],
  ["[logging.file]\nlevels = [1, 31]", `logging.file.levels in ${FILE}:2: [1,31] seen, expected`],
  ["logging.file.levels = 3", `logging.file.levels in ${FILE}:1: 3 seen, expected`],
  [
    '[firewall]\nallow_from = ["eth0", "10.0.0.0/33"]',
    `firewall.allow_from in ${FILE}:2: ["eth0","10.0.0.0/33"] seen, expected an array of interfaces, ADDRESS`,
  ],
  [
    '[firewall]\nopen = ["8080"]',
    `firewall.open in ${FILE}:2: ["8080"] seen, expected an array of tcp/PORT or udp/PORT`,
  ],
  ["[stats]\nenabled = 1", `stats.enabled in ${FILE}:2: 1 seen, expected true or false`],
  [
    "[main]\nmaxjobs = 1",
    `main.maxjobs in ${FILE}:2: an unknown key seen, expected one of max_jobs, include, network, log_level`,
  ],
  ["[mian]\nmax_jobs = 1", `mian in ${FILE}:1: an unknown key seen, expected one of main, globals`],
  [
    "[extension.x]\ncwd = '/'",
    `extension.x in ${FILE}:1: no binary seen, expected the path of a program`,
  ],
  ["[globals]\na = 1979-05-27", `globals.a in ${FILE}:2:`],
])("a value that is not allowed is reported with file, line and key: %j", async (text, message) => {
  const { config, problems } = await load(text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`Cannot use ${message}`);
  expect(config).toEqual(DEFAULT_NODE_CONFIG);
});

test("one bad value does not cost the good ones", async () => {
  const { config } = await load("[main]\nmax_jobs = 0\n[containers]\nmax_count = 3");
  expect(config.containers.max_count).toBe(3);
});

test("a file that is not TOML is reported with its line and the defaults are used", async () => {
  const { config, problems } = await load("[main]\nmax_jobs = \n");
  expect(config).toEqual(DEFAULT_NODE_CONFIG);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^Cannot read \/etc\/node0\/node0\.toml:2: .+, defaults are used$/);
});

test("a name that means something to JavaScript is a name like any other, or refused", async () => {
  const { config, problems } = await load('[globals]\n__proto__ = "x"\n');
  expect(problems).toEqual([]);
  expect(Object.entries(config.globals)).toEqual([["__proto__", "x"]]);
  const keys = Object.keys;
  const refused = await load("[constructor]\nkeys = 1\n");
  expect(Object.keys).toBe(keys);
  expect(refused.config).toEqual(DEFAULT_NODE_CONFIG);
  expect(refused.problems).toEqual([
    `Cannot use ${FILE}:1: the name "constructor" seen, expected none, defaults are used`,
  ]);
});

test("config.get shows unset maps and lists as null, in the nesting of the protocol", () => {
  expect(configToWire(DEFAULT_NODE_CONFIG)).toEqual({
    main: { max_jobs: 524_288, include: null, network: "", log_level: "info" },
    globals: null,
    extension: null,
    logger: {
      file: { levels: [2, 4, 7, 8, 9] },
      Ledis: { ledis: { levels: null }, size: 50_000 },
    },
    containers: { max_count: 0 },
    stats: { enabled: true },
  });
});

test("config.get shows no section the wire protocol does not name", async () => {
  const { config, problems } = await load(
    '[firewall]\nenabled = false\nallow_from = ["lan0", "10.0.0.0/8"]\nopen = ["tcp/8080", "udp/53"]',
  );
  expect(problems).toEqual([]);
  expect(config.firewall).toEqual({
    enabled: false,
    allow_from: ["lan0", "10.0.0.0/8"],
    open: ["tcp/8080", "udp/53"],
  });
  expect(Object.keys(configToWire(config)).sort()).toEqual([
    "containers",
    "extension",
    "globals",
    "logger",
    "main",
    "stats",
  ]);
});
