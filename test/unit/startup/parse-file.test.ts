import { describe, expect, test } from "vitest";
import { parseFile } from "../../../src/startup/parse-file.ts";

const parse = (...lines: string[]) => parseFile({ file: "x.toml", text: lines.join("\n") });

/** Files as existing nodes have them. */
const EXISTING = `
[startup.store]
name = "core.system"
after = ["init"]
protected = true

[startup.store.args]
name = "stored"
args = [
    "--port", "0",
    "--unixsocket", "/var/run/store.sock"
]

[startup."store-port"]
name = "nft.open_port"
condition = "development"

[startup."store-port".args]
port=6379
"zerotier| interface" = "zt*"

[startup."zt-init"]
name = 'bash'
running_delay = -1
recurring_period = 30
max_restart = 10
tags = ["zt"]

[startup."zt-init".args]
"not(ztid)|script" = """
ztid -out /tmp/zt
"""

[startup.volume.args.env]
HOME = "/root"

[[startup.volume.args.nics]]
type = "default"

[startup.volume]
name = "container.create"

[extension."zt.join"]
binary = "zt-cli"
args = ["-D/tmp/zt", "join", "{network}"]
`;

test("a file of an existing node is read as it is meant", () => {
  const { services, extensions, problems } = parseFile({ file: "x.toml", text: EXISTING });
  expect(problems).toEqual([]);
  expect(services).toMatchObject([
    {
      id: "store",
      place: "x.toml:2",
      command: "core.system",
      after: ["init"],
      isProtected: true,
      runningDelay: 2,
      args: { name: "stored", args: ["--port", "0", "--unixsocket", "/var/run/store.sock"] },
    },
    { id: "store-port", condition: "development", after: [], args: { port: 6379 } },
    {
      id: "zt-init",
      runningDelay: -1,
      recurringPeriod: 30,
      maxRestart: 10,
      tags: ["zt"],
      args: { "not(ztid)|script": "ztid -out /tmp/zt\n" },
    },
    { id: "volume", args: { env: { HOME: "/root" }, nics: [{ type: "default" }] } },
  ]);
  expect(extensions).toEqual([
    {
      name: "zt.join",
      place: "x.toml:43",
      binary: "zt-cli",
      args: ["-D/tmp/zt", "join", "{network}"],
      cwd: "",
      env: {},
      access: "admin",
    },
  ]);
});

describe("a value that is not allowed is named with its line, and its service is not started", () => {
  test.each([
    ['after = "net"', 'startup.a.after in x.toml:3: "net" seen, expected an array of init, net'],
    ["after = [1]", "startup.a.after in x.toml:3: [1] seen"],
    ["running_delay = 1.5", "startup.a.running_delay in x.toml:3: 1.5 seen, expected an integer"],
    ['running_delay = "2"', 'running_delay in x.toml:3: "2" seen'],
    ["running_limit = 0", "running_limit in x.toml:3: 0 seen, expected an integer from 1 to 86400"],
    ["running_match = 3", "running_match in x.toml:3: 3 seen, expected a regular expression"],
    ['running_match = "(a"', 'startup.a in x.toml:1: Cannot use running_match "(a": '],
    ["protected = 1", "protected in x.toml:3: 1 seen, expected true or false"],
    ["max_restart = -1", "max_restart in x.toml:3: -1 seen, expected an integer from 0"],
    ["max_restart = 9007199254740994", "max_restart in x.toml:3: 9007199254740994 seen"],
    ["recurring_period = true", "recurring_period in x.toml:3: true seen"],
    ['tags = "a"', 'tags in x.toml:3: "a" seen, expected an array of strings'],
    ["args = [1]", "args in x.toml:3: [1] seen, expected a table"],
    ['condition = "a b"', 'startup.a in x.toml:1: Cannot use condition "a b": "b" seen'],
    ["condition = { or = [] }", 'condition in x.toml:3: {"or":[]} seen, expected a condition'],
  ])("%s", (line, problem) => {
    const { services, problems } = parse('[startup.a]\nname = "x"', line, '[startup.b]\nname="y"');
    expect(services.map(({ id }) => id)).toEqual(["b"]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });
});

test("a key nobody knows is left out, and its service is started", () => {
  const { services, problems } = parse('[startup.a]\nname = "x"\nmust_exist = true');
  expect(services).toMatchObject([{ id: "a" }]);
  expect(problems[0]).toMatch(
    /^Cannot use startup.a.must_exist in x.toml:3: an unknown key seen, expected one of name, cond/,
  );
});

describe("tables that are none of the file", () => {
  test.each([
    [
      "[main]\nmax_jobs = 1",
      "Cannot use main in x.toml:1: an unknown key seen, expected startup or",
    ],
    ["startup = 1", "Cannot use startup in x.toml:1: a value seen, expected a table"],
    ["[startup]\na = 1", "Cannot use startup.a in x.toml:2: 1 seen, expected a table"],
    [
      "[startup.a]",
      "Cannot use startup.a in x.toml:1: no name seen, expected the name of a command",
    ],
    ['[startup.init]\nname = "x"', "Cannot use startup.init in x.toml:1: this name seen"],
    ["[extension.a]", "Cannot use extension.a in x.toml:1: no binary seen"],
    ['[extension.a]\nbinary = "x"\nargs = "y"', 'extension.a.args in x.toml:3: "y" seen'],
    ['[extension.a]\nbinary = "x"\nenv = { A = 1 }', 'extension.a.env in x.toml:3: {"A":1} seen'],
    ['[extension.a]\nbinary = "x"\naccess = "all"', "expected one of read, operate, admin"],
  ])("%j", (text, problem) => {
    const { services, extensions, problems } = parse(text);
    expect([...services, ...extensions]).toEqual([]);
    expect(problems[0]).toContain(problem);
  });
});

describe("hostile texts end in a problem", () => {
  test.each([
    ["no TOML", "[startup.a\nname = 1", /^Cannot read x.toml:\d+: /],
    ["zero bytes", "\0\0\0\0", /^Cannot read x.toml/],
    [
      "a name every object has",
      '[startup.constructor]\nname = "x"',
      /^Cannot use x.toml:1: the name/,
    ],
    ["deep nesting", `[startup.a]\nargs = ${"[".repeat(100_000)}`, /^Cannot use x.toml:2: a value/],
    ["deep names", `[startup.a]\nafter${".a".repeat(100_000)} = 1`, /^Cannot (read|use) .*x.toml/],
    ["a control character as id", '[startup."a\\u001b[2J"]\nname = "x"', /this name seen/],
    ["a long id", `[startup.${"x".repeat(129)}]\nname = "x"`, /this name seen/],
    ["an empty id", '[startup.""]\nname = "x"', /this name seen/],
  ])("%s", (_, text, problem) => {
    const { services, problems } = parse(text);
    expect(services).toEqual([]);
    expect(problems[0]).toMatch(problem);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a console would act upon
    expect(problems.join("")).not.toMatch(/[\0-\x1f\x7f]/);
  });
});

test("__proto__ is a name like others", () => {
  const { services, extensions, problems } = parse(
    '[startup.__proto__]\nname = "x"\n[startup.__proto__.args]\n__proto__ = "y"',
    '[extension.__proto__]\nbinary = "z"',
  );
  expect(problems).toEqual([]);
  expect(services.map(({ id }) => id)).toEqual(["__proto__"]);
  expect(JSON.stringify(services[0]?.args)).toBe('{"__proto__":"y"}');
  expect(extensions.map(({ name }) => name)).toEqual(["__proto__"]);
});

test("very many mistakes are counted", () => {
  const text = Array.from({ length: 200 }, (_, at) => `[startup.s${at}]`).join("\n");
  const { problems } = parse(text);
  expect(problems).toHaveLength(51);
  expect(problems.at(-1)).toBe("Cannot use 150 more values in x.toml");
});

test("a file of the largest size takes less than seconds", () => {
  const one = '[startup.NAME]\nname = "core.system"\nargs = { name = "true" }\n';
  const text = Array.from({ length: 4000 }, (_, at) => one.replace("NAME", `s${at}`)).join("");
  const before = performance.now();
  expect(parse(text.slice(0, 256 * 1024)).problems.length).toBeLessThan(3);
  expect(performance.now() - before).toBeLessThan(5000);
});
